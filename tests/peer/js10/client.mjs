// The client of @a2a-js/sdk 1.x runs the rows: `node client.mjs URL JSONRPC|HTTP+JSON|GRPC`.

import { randomUUID } from 'node:crypto';
import { SendMessageRequest, StreamResponse, Task, taskStateToJSON } from '@a2a-js/sdk';
import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } from '@a2a-js/sdk/client';
import { GrpcTransportFactory } from '@a2a-js/sdk/client/grpc';
import { report } from '../rows.mjs';

const TRANSPORTS = {
  JSONRPC: () => new JsonRpcTransportFactory(),
  'HTTP+JSON': () => new RestTransportFactory(),
  GRPC: () => new GrpcTransportFactory(),
};

function buildRequest(part, { taskId = '', contextId = '', wait = true } = {}) {
  return SendMessageRequest.fromJSON({
    message: { messageId: randomUUID(), role: 'ROLE_USER', parts: [part], taskId, contextId },
    configuration: { returnImmediately: !wait },
  });
}

function readState(state) {
  return taskStateToJSON(state).replace('TASK_STATE_', '').toLowerCase().replaceAll('_', '-');
}

function readText(parts) {
  return parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('');
}

function readTask(task) {
  const parts = task.artifacts.flatMap((artifact) => artifact.parts);
  const files = parts.filter(({ content }) => content?.$case === 'raw');
  return {
    kind: 'task',
    taskId: task.id,
    contextId: task.contextId,
    state: readState(task.status.state),
    text: readText(parts),
    files: files.map((part) => [Buffer.from(part.content.value), part.mediaType, part.filename]),
  };
}

function readAnswer(answer) {
  return 'status' in answer ? readTask(answer) : { kind: 'message', text: readText(answer.parts) };
}

function readEvent({ payload }) {
  switch (payload.$case) {
    case 'task':
      return readTask(payload.value);
    case 'statusUpdate':
      return { kind: 'status', taskId: payload.value.taskId, state: readState(payload.value.status.state) };
    case 'artifactUpdate':
      return { kind: 'artifact', taskId: payload.value.taskId, text: readText(payload.value.artifact.parts) };
    default:
      return { kind: 'message', text: readText(payload.value.parts) };
  }
}

class Caller {
  generation = '1.0';

  constructor(client) {
    this.client = client;
  }

  async send(text, options) {
    return readAnswer(await this.client.sendMessage(buildRequest({ text }, options)));
  }

  async sendFile(content, mediaType, filename) {
    const part = { raw: content.toString('base64'), mediaType, filename };
    return readAnswer(await this.client.sendMessage(buildRequest(part)));
  }

  async *stream(text) {
    for await (const event of this.client.sendMessageStream(buildRequest({ text }))) yield readEvent(event);
  }

  async get(id) {
    return readTask(await this.client.getTask({ tenant: '', id }));
  }

  async cancel(id) {
    return readTask(await this.client.cancelTask({ tenant: '', id, metadata: undefined }));
  }

  async *subscribe(id) {
    for await (const event of this.client.resubscribeTask({ tenant: '', id })) yield readEvent(event);
  }

  async listTasks(contextId) {
    const page = await this.client.listTasks({ tenant: '', contextId, status: 0, pageToken: '' });
    return page.tasks.map((task) => task.id);
  }

  async push(taskId, url, token) {
    const config = { tenant: '', id: 'hook', taskId, url, token, authentication: undefined };
    await this.client.createTaskPushNotificationConfig(config);
  }

  async extendedCard() {
    return (await this.client.getAgentCard()).skills.map((skill) => skill.id);
  }

  nameError(error) {
    return error.name;
  }
}

const [url, binding] = process.argv.slice(2);
const client = await new ClientFactory({ transports: [TRANSPORTS[binding]()] }).createFromUrl(url);
await report(new Caller(client));
