// The client of @a2a-js/sdk 0.3 runs the rows: `node client.mjs URL JSONRPC|HTTP+JSON|GRPC`.

import { randomUUID } from 'node:crypto';
import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } from '@a2a-js/sdk/client';
import { GrpcTransportFactory } from '@a2a-js/sdk/client/grpc';
import { report } from '../rows.mjs';

const TRANSPORTS = {
  JSONRPC: () => new JsonRpcTransportFactory(),
  'HTTP+JSON': () => new RestTransportFactory(),
  GRPC: () => new GrpcTransportFactory(),
};

const CODES = { '-32001': 'TaskNotFoundError', '-32002': 'TaskNotCancelableError' };

function buildParams(part, { taskId, contextId, wait = true } = {}) {
  const message = { kind: 'message', messageId: randomUUID(), role: 'user', parts: [part], taskId, contextId };
  return { message, configuration: { blocking: wait, acceptedOutputModes: [] } };
}

function textPart(text) {
  return { kind: 'text', text };
}

function readText(parts) {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}

function readTask(task) {
  const parts = (task.artifacts ?? []).flatMap((artifact) => artifact.parts);
  const files = parts.filter((part) => part.kind === 'file').map((part) => part.file);
  return {
    kind: 'task',
    taskId: task.id,
    contextId: task.contextId,
    state: task.status.state,
    text: readText(parts),
    files: files.map((file) => [Buffer.from(file.bytes, 'base64'), file.mimeType, file.name]),
  };
}

function readEvent(event) {
  switch (event.kind) {
    case 'task':
      return readTask(event);
    case 'status-update':
      return { kind: 'status', taskId: event.taskId, state: event.status.state };
    case 'artifact-update':
      return { kind: 'artifact', taskId: event.taskId, text: readText(event.artifact.parts) };
    default:
      return { kind: event.kind, text: readText(event.parts) };
  }
}

class Caller {
  generation = '0.3';

  constructor(client) {
    this.client = client;
  }

  async send(text, options) {
    return readEvent(await this.client.sendMessage(buildParams(textPart(text), options)));
  }

  async sendFile(content, mimeType, name) {
    const part = { kind: 'file', file: { bytes: content.toString('base64'), mimeType, name } };
    return readEvent(await this.client.sendMessage(buildParams(part)));
  }

  async *stream(text) {
    for await (const event of this.client.sendMessageStream(buildParams(textPart(text)))) yield readEvent(event);
  }

  async get(id) {
    return readTask(await this.client.getTask({ id }));
  }

  async cancel(id) {
    return readTask(await this.client.cancelTask({ id }));
  }

  async *subscribe(id) {
    for await (const event of this.client.resubscribeTask({ id })) yield readEvent(event);
  }

  async push(taskId, url, token) {
    await this.client.setTaskPushNotificationConfig({ taskId, pushNotificationConfig: { id: 'hook', url, token } });
  }

  async extendedCard() {
    return (await this.client.getAgentCard()).skills.map((skill) => skill.id);
  }

  nameError(error) {
    const [, code] = /\(Code: (-\d+)\)/.exec(error.message) ?? []; // as errors in streams say it
    return error.name === 'Error' ? (CODES[code] ?? `Error: ${error.message}`) : error.name;
  }
}

const [url, binding] = process.argv.slice(2);
const client = await new ClientFactory({ transports: [TRANSPORTS[binding]()] }).createFromUrl(url);
await report(new Caller(client));
