// An agent of @a2a-js/sdk 1.x that obeys `words.md`: `node server.mjs`. It prints its address, and ends with its input.

import { randomUUID } from 'node:crypto';
import { AgentCard, Message, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from '@a2a-js/sdk';
import {
  AgentEvent,
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
    const status = { state: 'TASK_STATE_SUBMITTED', timestamp: new Date().toISOString() };
    const { taskId: id, contextId } = this.ids;
    const task = Task.fromJSON({ id, contextId, status });
    task.history = [message];
    this.bus.publish(AgentEvent.task(task));
  }

  state(state, words) {
    const parts = [{ text: words }];
    const message = words && { messageId: randomUUID(), role: 'ROLE_AGENT', parts, ...this.ids };
    const status = { state: `TASK_STATE_${state}`, message, timestamp: new Date().toISOString() };
    this.bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON({ ...this.ids, status })));
  }

  artifact(parts, extras = {}) {
    const event = TaskArtifactUpdateEvent.fromJSON({ ...this.ids, artifact: { artifactId: 'a1' }, ...extras });
    event.artifact.parts = parts;
    this.bus.publish(AgentEvent.artifactUpdate(event));
  }

  finish(...parts) {
    this.artifact(parts, { lastChunk: true });
    this.state('COMPLETED');
  }
}

function textPart(text) {
  return Message.fromJSON({ parts: [{ text }] }).parts[0];
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
    const text = userMessage.parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('');
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
      teller.finish(file, textPart(`${file.content.value.length} bytes`));
    }
    bus.finished();
  }

  async cancelTask(taskId, bus) {
    new Teller({ taskId, contextId: this.contexts.get(taskId) }, bus).state('CANCELED');
    bus.finished();
  }

  async hold(name, teller) {
    teller.state('WORKING');
    teller.finish(textPart(await this.gates.door(name).promise));
  }

  count(teller) {
    teller.state('WORKING');
    for (const piece of ['one ', 'two ', 'three']) {
      teller.artifact([textPart(piece)], { append: piece !== 'one ', lastChunk: piece === 'three' });
    }
    teller.state('COMPLETED');
  }

  /** Keep the answer, if it is one, and ask for what is missing. */
  ask(taskId, text, teller) {
    const answers = this.answers.get(taskId);
    if (answers) answers.push(text);
    else this.answers.set(taskId, []);
    const known = this.answers.get(taskId);
    if (known.length < QUESTIONS.length) teller.state('INPUT_REQUIRED', QUESTIONS[known.length]);
    else teller.finish(textPart(known.join(' ')));
  }
}

function buildCard(base, grpcAddress, ...skills) {
  const protocolVersion = '1.0';
  return AgentCard.fromJSON({
    name: 'official',
    description: 'An agent of the official SDK',
    version: '1',
    capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true },
    defaultInputModes: MODES,
    defaultOutputModes: MODES,
    skills: skills.map((id) => ({ id, name: id, description: id, tags: ['test'] })),
    supportedInterfaces: [
      { url: `${base}/rpc`, protocolBinding: 'JSONRPC', protocolVersion },
      { url: `${base}/rest`, protocolBinding: 'HTTP+JSON', protocolVersion },
      { url: grpcAddress, protocolBinding: 'GRPC', protocolVersion },
    ],
  });
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
