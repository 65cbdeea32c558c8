// An agent of @a2a-js/sdk 0.3 that obeys `words.md`: `node server.mjs`. It prints its address, and ends with its input.

import { randomUUID } from 'node:crypto';
import {
  DefaultPushNotificationSender,
  DefaultRequestHandler,
  InMemoryPushNotificationStore,
  InMemoryTaskStore,
} from '@a2a-js/sdk/server';
import { agentCardHandler, jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express';
import { A2AService, grpcService } from '@a2a-js/sdk/server/grpc';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import express from 'express';
import { serve } from '../hosting.mjs';

const QUESTIONS = ['which colour?', 'which size?'];
const MODES = ['text/plain', 'application/octet-stream', 'application/x-test'];

/** Everybody is the peer: the extended card wants a name. */
const PEER = { isAuthenticated: true, userName: 'peer' };

/** Tells what happens to one task. */
class Teller {
  constructor({ taskId, contextId }, bus) {
    this.ids = { taskId, contextId };
    this.bus = bus;
  }

  begin(message) {
    const { taskId: id, contextId } = this.ids;
    const status = { state: 'submitted', timestamp: new Date().toISOString() };
    this.bus.publish({ kind: 'task', id, contextId, status, history: [message] });
  }

  state(state, words) {
    const parts = [textPart(words)];
    const message = words && { kind: 'message', messageId: randomUUID(), role: 'agent', parts, ...this.ids };
    const status = { state, message, timestamp: new Date().toISOString() };
    this.bus.publish({ kind: 'status-update', ...this.ids, status, final: state !== 'working' });
  }

  artifact(parts, extras = {}) {
    this.bus.publish({ kind: 'artifact-update', ...this.ids, artifact: { artifactId: 'a1', parts }, ...extras });
  }

  finish(...parts) {
    this.artifact(parts, { lastChunk: true });
    this.state('completed');
  }
}

function textPart(text) {
  return { kind: 'text', text };
}

/** Doors by name, which tasks wait at. */
class Gates {
  doors = new Map();

  door(name) {
    if (!this.doors.has(name)) this.doors.set(name, makeDoor());
    return this.doors.get(name);
  }
}

function makeDoor() {
  const door = {};
  door.promise = new Promise((resolve) => {
    door.resolve = resolve;
  });
  return door;
}

/** Does what the first word says. */
class Obedient {
  gates = new Gates();
  answers = new Map();
  contexts = new Map();

  async execute(context, bus) {
    const { taskId, contextId, userMessage, task } = context;
    const teller = new Teller(context, bus);
    this.contexts.set(taskId, contextId);
    if (!task) teller.begin(userMessage);
    const text = userMessage.parts.map((part) => part.text ?? '').join('');
    const [word, name] = text.split(' ');
    if (word === 'ask' || this.answers.has(taskId)) this.ask(taskId, text, teller);
    else if (word === 'count') this.count(teller);
    else if (word === 'hold') await this.hold(name, teller);
    else if (word === 'open') {
      this.gates.door(name).resolve('held');
      teller.finish(textPart('opened'));
    } else if (text) teller.finish(textPart(text));
    else {
      const [file] = userMessage.parts;
      teller.finish(file, textPart(`${Buffer.from(file.file.bytes, 'base64').length} bytes`));
    }
    bus.finished();
  }

  async cancelTask(taskId, bus) {
    new Teller({ taskId, contextId: this.contexts.get(taskId) }, bus).state('canceled');
    bus.finished();
  }

  async hold(name, teller) {
    teller.state('working');
    teller.finish(textPart(await this.gates.door(name).promise));
  }

  count(teller) {
    teller.state('working');
    for (const piece of ['one ', 'two ', 'three']) {
      teller.artifact([textPart(piece)], { append: piece !== 'one ', lastChunk: piece === 'three' });
    }
    teller.state('completed');
  }

  /** Keep the answer, if it is one, and ask for what is missing. */
  ask(taskId, text, teller) {
    const answers = this.answers.get(taskId);
    if (answers) answers.push(text);
    else this.answers.set(taskId, []);
    const known = this.answers.get(taskId);
    if (known.length < QUESTIONS.length) teller.state('input-required', QUESTIONS[known.length]);
    else teller.finish(textPart(known.join(' ')));
  }
}

function buildCard(base, grpcAddress, ...skills) {
  return {
    name: 'official',
    description: 'An agent of the official SDK',
    version: '1',
    protocolVersion: '0.3.0',
    capabilities: { streaming: true, pushNotifications: true },
    supportsAuthenticatedExtendedCard: true,
    defaultInputModes: MODES,
    defaultOutputModes: MODES,
    skills: skills.map((id) => ({ id, name: id, description: id, tags: ['test'] })),
    url: `${base}/rpc`,
    preferredTransport: 'JSONRPC',
    additionalInterfaces: [
      { url: `${base}/rest`, transport: 'HTTP+JSON' },
      { url: grpcAddress, transport: 'GRPC' },
    ],
  };
}

const app = express();
const grpcServer = new Server();
await serve(app, grpcServer, ServerCredentials.createInsecure(), (base, address) => {
  const configs = new InMemoryPushNotificationStore();
  const requestHandler = new DefaultRequestHandler(
    buildCard(base, address, 'obey'),
    new InMemoryTaskStore(),
    new Obedient(),
    undefined,
    configs,
    new DefaultPushNotificationSender(configs),
    buildCard(base, address, 'obey', 'extra'),
  );
  const options = { requestHandler, userBuilder: async () => PEER };
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }));
  app.use('/rpc', jsonRpcHandler(options));
  app.use('/rest', restHandler(options));
  grpcServer.addService(A2AService, grpcService(options));
});
