"""Notifications from an agent to a receiver that is not always there (SPEC 5, PSH rows of the receiver)."""

import asyncio
import errno
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest

from dragoman.bus import LocalBus
from dragoman.client import NotificationReceiver
from dragoman.client.folding import TaskView
from dragoman.engine import DeliveryError, DeliveryPolicy
from dragoman.model import TaskState
from dragoman.security import make_secret
from dragoman.server import AgentApp
from dragoman.server.webhooks import WebhookOptions, WebhookSender
from dragoman.store import open_store
from tests.interaction.agents import LOOPBACK, Parrot
from tests.interaction.requirements import requirement
from tests.interaction.sockets import serving
from tests.interaction.wires import JsonRpcWire, send_params

SECRET = make_secret()
TOKEN = "one-token-for-one-task"
AT_ONCE = DeliveryPolicy(first_pause=timedelta())
ONCE = DeliveryPolicy(give_up_after=timedelta())


class Watched:
    """A real sender, whose failures can be waited for; after `patience` of them it hangs, as if nobody answered."""

    def __init__(self, patience=None):
        self.failures = []
        self.hanging = asyncio.Event()
        self._patience = patience
        self._sender = WebhookSender(WebhookOptions(egress=LOOPBACK.egress, secrets=(SECRET,)))
        self._failed = asyncio.Condition()

    async def __call__(self, url, headers, body):
        if len(self.failures) == self._patience:
            self.hanging.set()
            await asyncio.Event().wait()
        try:
            await self._sender(url, headers, body)
        except DeliveryError as error:
            async with self._failed:
                self.failures.append((str(error), body))
                self._failed.notify_all()
            raise

    async def until_failed(self, count):
        async with self._failed:
            await self._failed.wait_for(lambda: len(self.failures) >= count)

    async def aclose(self):
        await self._sender.aclose()


class Hook:
    """A receiver at an address of its own, which answers only while it is `up`."""

    def __init__(self, **options):
        options = {"secrets": (SECRET,), "tokens": (TOKEN,), **options}
        self.taken = []
        self.failing = 0
        self.receiver = NotificationReceiver(**options)
        self._arrived = asyncio.Condition()
        # Bound and not listening, it refuses connections, and nobody else takes the port.
        self._address = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._address.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._address.getsockname()[1]}/"

    def params(self, content="hello", skill="", **members):
        return send_params(
            content, skill, taskPushNotificationConfig={"url": self.url, "token": TOKEN}, **members
        )

    @asynccontextmanager
    async def up(self):
        self._address.listen()
        async with serving(self.receiver.as_asgi(self._take), self._address):
            yield self

    async def until_state(self, state):
        """Everything that was told, up to the notification that the task is in `state`."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.view.state is state)
        return self.taken

    @property
    def view(self):
        view = TaskView()
        for notification in self.taken:
            view.apply(notification.event)
        return view

    async def _take(self, notification):
        if self.failing:
            self.failing -= 1
            raise RuntimeError("the receiver's database is down")
        async with self._arrived:
            self.taken.append(notification)
            self._arrived.notify_all()

    def close(self):
        self._address.close()


@pytest.fixture
async def sender():
    watched = Watched()
    yield watched
    await watched.aclose()


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.close()


@asynccontextmanager
async def running(parrot, sender, store="memory:", policy=AT_ONCE):
    """A wire to the parrot, whose notifications go through `sender`."""
    app = AgentApp(
        card=lambda _: parrot.card_facts(),
        handler=parrot.app.engine._handler,
        name="parrot",
        store=open_store(store),
        bus=LocalBus(),
        sender=sender,
        delivery=policy,
    )
    async with AsyncExitStack() as stack:
        await app.start()
        stack.push_async_callback(app.stop)
        wire = JsonRpcWire(app)
        stack.push_async_callback(wire.aclose)
        yield wire


async def send(wire, params):
    answer = await wire.call("SendMessage", params)
    assert answer.failure is None, answer.failure
    return answer.task["id"]


async def read(wire, task_id):
    return (await wire.call("GetTask", {"id": task_id})).task


def texts(hook):
    return [part.text for artifact in hook.view.task.artifacts for part in artifact.parts]


@requirement("PSH-02", "PSH-05", "PSH-11")
async def test_an_agent_s_notifications_are_believed_and_tell_the_whole_task(hook, sender):
    async with hook.up(), running(Parrot(), sender) as wire:
        task_id = await send(wire, hook.params("", "chunks"))
        taken = await hook.until_state(TaskState.COMPLETED)
    assert {(one.task_id, one.is_signed, one.has_token) for one in taken} == {(task_id, True, True)}
    assert "".join(texts(hook)) == "one two three"
    assert sender.failures == []


@requirement("PSH-07")
async def test_a_receiver_that_was_down_gets_everything_in_order(hook, sender):
    parrot = Parrot()
    async with running(parrot, sender) as wire:
        task_id = await send(wire, hook.params("door", "drip", returnImmediately=True))
        await parrot.gates.reached("door")
        await sender.until_failed(3)
        async with wire.subscribed(task_id) as stream:
            parrot.gates.open("door")
            await stream.rest()
        await sender.until_failed(len(sender.failures) + 3)
        assert hook.taken == []
        async with hook.up():
            taken = await hook.until_state(TaskState.COMPLETED)
        task = await read(wire, task_id)
    assert len({body for _, body in sender.failures}) == 1, "the first one holds up the rest"
    assert f"Errno {errno.ECONNREFUSED}" in sender.failures[0][0]
    assert [type(one.event).__name__ for one in taken][:2] == ["Task", "TaskStatusUpdateEvent"]
    assert texts(hook) == [part["text"] for part in task["artifacts"][0]["parts"]]
    assert len({one.id for one in taken}) == len(taken)


@requirement("PSH-07")
async def test_agent_and_receiver_may_both_have_been_down(hook, sender, tmp_path):
    store = f"sqlite:///{tmp_path / 'tasks.db'}"
    async with running(Parrot(), stuck := Watched(patience=2), store) as wire:
        await send(wire, hook.params("", "chunks"))
        await stuck.hanging.wait()
    await stuck.aclose()
    async with hook.up(), running(Parrot(), sender, store):
        await hook.until_state(TaskState.COMPLETED)
    assert len(stuck.failures) == 2
    assert sender.failures == []
    assert "".join(texts(hook)) == "one two three"


@requirement("PSH-03")
async def test_a_receiver_whose_work_fails_is_told_again_and_handles_each_once(hook, sender, caplog):
    hook.failing = 3
    async with hook.up(), running(Parrot(), sender) as wire:
        await send(wire, hook.params("", "chunks"))
        taken = await hook.until_state(TaskState.COMPLETED)
    assert [why for why, _ in sender.failures] == ["the receiver answered with HTTP 500"] * 3
    assert "".join(texts(hook)) == "one two three"
    assert len({one.id for one in taken}) == len(taken)


@requirement("PSH-03")
async def test_what_is_sent_twice_is_taken_once_and_acknowledged_twice(hook, sender):
    headers = {"webhook-id": "n1", "X-A2A-Notification-Token": TOKEN}
    body = b'{"task":{"id":"t1","contextId":"c1","status":{"state":"TASK_STATE_WORKING"}}}'
    async with hook.up():
        for _ in range(3):
            await sender(hook.url, headers, body)
    assert [one.id for one in hook.taken] == ["n1"]


@requirement("PSH-04", "PSH-11", "PSH-20")
@pytest.mark.parametrize(
    "options, status",
    [
        ({"expected_task": lambda task_id: False}, 404),
        ({"tokens": ("the token of another task",)}, 401),
        ({"tokens": lambda task_id: None}, 401),
        ({"secrets": (make_secret(),)}, 401),
        ({"max_age": timedelta(seconds=-1)}, 401),
        ({"max_body_bytes": 10}, 413),
    ],
    ids=["other task", "other token", "no token", "other secret", "too old", "too large"],
)
async def test_what_a_receiver_does_not_believe_it_does_not_take(options, status, sender, caplog):
    hook = Hook(**options)
    async with hook.up(), running(Parrot(), sender, policy=ONCE) as wire:
        await send(wire, hook.params())
        await sender.until_failed(1)
    hook.close()
    assert hook.taken == []
    assert {why for why, _ in sender.failures} == {f"the receiver answered with HTTP {status}"}
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text
