// The rows of the interop matrix for Node: what `rows.py` says, with the same names and the same evidence.
//
// A caller has: generation (`1.0` or `0.3`), send(text, {taskId, contextId, wait}), sendFile(content, mediaType, name), stream(text), get(taskId), cancel(taskId),
// subscribe(taskId), listTasks(contextId), push(taskId, url, token), extendedCard(), nameError(error). Replies are
// {kind, taskId, contextId, state, text, files: [[bytes, mediaType, name]]}, with states in lower case: `input-required`.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

const ROW_MILLISECONDS = 12_000;
const UNICODE = 'Grüße 👩‍🚀 שלום \u2028 e\u0301 \ufeff line\nbreak \x7f \u{10ffff}';
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, number) => number));
const MEDIA_TYPE = 'application/x-test';

/** The SDK, or its generation of the protocol, has no such operation. */
export class NotOffered extends Error {}

function expect(seen, wanted, what) {
  if (!isDeepStrictEqual(seen, wanted)) {
    throw new Error(`${what}: ${JSON.stringify(seen)}, and not ${JSON.stringify(wanted)}`);
  }
}

function expectReply(reply, state, text) {
  expect([reply.kind, reply.state], ['task', state], 'the answer is');
  expect(reply.text, text, 'its text is');
}

async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

function listStates(events) {
  return events.map((event) => event.state).filter(Boolean);
}

async function errorOf(caller, call) {
  try {
    await call();
  } catch (error) {
    return caller.nameError(error);
  }
  return 'no error';
}

/** A task that works until its gate is opened. */
async function hold(caller) {
  const gate = randomUUID();
  const task = await caller.send(`hold ${gate}`, { wait: false });
  expect(task.kind, 'task', 'the answer is a');
  expect(['submitted', 'working'].includes(task.state), true, `answered while it works (${task.state})`);
  return { taskId: task.taskId, open: () => caller.send(`open ${gate}`) };
}

/** Takes notifications on loopback. */
class Receiver {
  taken = [];

  async open() {
    this.server = createServer(async (request, response) => {
      const pieces = await collect(request);
      this.taken.push({ headers: request.headers, body: Buffer.concat(pieces).toString() });
      response.setHeader('connection', 'close').end();
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${this.server.address().port}/hook`;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async untilCompleted() {
    for (;;) {
      const told = this.taken.find((one) => one.body.toLowerCase().includes('completed'));
      if (told) return told;
      await sleep(20);
    }
  }
}

const ROWS = {
  async send(caller) {
    expectReply(await caller.send('hello'), 'completed', 'hello');
  },

  async immediate(caller) {
    const { taskId, open } = await hold(caller);
    await open();
    let reply = await caller.get(taskId);
    while (reply.state !== 'completed') {
      await sleep(50);
      reply = await caller.get(taskId);
    }
    expectReply(reply, 'completed', 'held');
  },

  async stream(caller) {
    const events = await collect(caller.stream('count'));
    const pieces = events.filter((event) => event.kind === 'artifact').map((event) => event.text);
    expect(pieces.filter(Boolean), ['one ', 'two ', 'three'], 'the pieces are');
    expect(listStates(events).slice(-1), ['completed'], 'the last state is');
  },

  async 'multi-turn'(caller) {
    const asked = await caller.send('ask');
    expect(asked.state, 'input-required', 'after the first message the state is');
    const again = await caller.send('red', { taskId: asked.taskId });
    expect(again.state, 'input-required', 'after the first answer the state is');
    expect([again.taskId, again.contextId], [asked.taskId, asked.contextId], 'its ids are');
    const done = await caller.send('large', { taskId: asked.taskId });
    expectReply(done, 'completed', 'red large');
    expect([done.taskId, done.contextId], [asked.taskId, asked.contextId], 'its ids are');
  },

  async subscribe(caller) {
    const { taskId, open } = await hold(caller);
    const told = [];
    const reading = (async () => {
      for await (const event of caller.subscribe(taskId)) told.push(event);
    })();
    const failed = reading.then(() => true, () => true);
    const began = (async () => {
      while (!told.length) await sleep(20);
    })();
    await Promise.race([failed, began, sleep(500)]);
    await open();
    await reading;
    expect(listStates(told).slice(-1), ['completed'], 'the last state is');
    expect(told.map((event) => event.text ?? '').join('').includes('held'), true, 'the artifact comes');
  },

  async cancel(caller) {
    const { taskId } = await hold(caller);
    expect((await caller.cancel(taskId)).state, 'canceled', 'the state is');
    expect((await caller.get(taskId)).state, 'canceled', 'read again, the state is');
  },

  async list(caller) {
    if (!caller.listTasks) throw new NotOffered('0.3 has no such operation');
    const first = await caller.send('one');
    const second = await caller.send('two', { contextId: first.contextId });
    const listed = await caller.listTasks(first.contextId);
    expect(listed.sort(), [first.taskId, second.taskId].sort(), 'the tasks are');
  },

  async push(caller) {
    const { taskId, open } = await hold(caller);
    const receiver = new Receiver();
    const url = await receiver.open();
    try {
      await caller.push(taskId, url, 'secret-1');
      await open();
      const told = await receiver.untilCompleted();
      expect(told.headers['x-a2a-notification-token'], 'secret-1', 'the token is');
      expect(readWebhook(JSON.parse(told.body)), [caller.generation, taskId], 'shape and task are');
    } finally {
      receiver.close();
    }
  },

  async files(caller) {
    const reply = await caller.sendFile(ALL_BYTES, MEDIA_TYPE, 'größe.bin');
    expectReply(reply, 'completed', '256 bytes');
    const [[content, mediaType, name]] = reply.files;
    expect(content.toString('hex'), ALL_BYTES.toString('hex'), 'the bytes are');
    expect([mediaType, name], [MEDIA_TYPE, 'größe.bin'], 'type and name are');
  },

  async unicode(caller) {
    expectReply(await caller.send(UNICODE), 'completed', UNICODE);
    const events = await collect(caller.stream(UNICODE));
    const pieces = events.filter((event) => event.kind === 'artifact').map((event) => event.text);
    expect(pieces.join(''), UNICODE, 'streamed, it is');
  },

  async errors(caller) {
    const done = await caller.send('hello');
    const unknown = await errorOf(caller, () => caller.get('nobody'));
    expect(unknown, 'TaskNotFoundError', 'for a task that is not there, it is');
    const lost = await errorOf(caller, () => caller.send('hello', { taskId: 'nobody' }));
    expect(lost, 'TaskNotFoundError', 'for a message to a task that is not there, it is');
    const unread = await errorOf(caller, () => collect(caller.subscribe('nobody')));
    expect(unread, 'TaskNotFoundError', 'for a stream of a task that is not there, it is');
    const late = await errorOf(caller, () => caller.cancel(done.taskId));
    expect(late, 'TaskNotCancelableError', 'for canceling what has ended, it is');
  },

  async 'extended card'(caller) {
    const skills = await caller.extendedCard();
    expect(skills.includes('extra'), true, "the extended card has the skill 'extra'");
  },
};

/** The generation that has such webhooks, and the task that it tells of. */
function readWebhook(payload) {
  if (payload.kind === 'task') return ['0.3', payload.id];
  const update = payload.statusUpdate ?? payload.task ?? {};
  return ['1.0', update.taskId || update.id];
}

function fail(milliseconds) {
  return new Promise((_, reject) => {
    const error = new Error(`nothing came for ${milliseconds / 1000} s`);
    setTimeout(() => reject(error), milliseconds).unref();
  });
}

/** Run every row and print one JSON line for each; `ok` is null where the peer does not offer it. */
export async function report(caller) {
  for (const [row, run] of Object.entries(ROWS)) {
    let ok = true;
    let evidence = '';
    try {
      await Promise.race([run(caller), fail(ROW_MILLISECONDS)]);
    } catch (error) {
      ok = error instanceof NotOffered ? null : false;
      evidence = describe(error);
    }
    console.log(JSON.stringify({ row, ok, evidence }));
  }
  process.exit(0); // whatever a failed row left open
}

function describe(error) {
  const words = error?.constructor === Error || error instanceof NotOffered ? error.message : `${error?.name}: ${error?.message}`;
  return words.split(/\s+/).join(' ').slice(0, 400);
}
