"""The receiver's side of webhooks."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from dragoman.client import (
    MalformedNotificationError,
    NotAuthenticError,
    NotificationError,
    NotificationReceiver,
    NotificationTooLargeError,
    StaleNotificationError,
    UnexpectedTaskError,
)
from dragoman.client.http import AsgiHttp, HttpRequest
from dragoman.client.receiving import TOKEN_HEADER
from dragoman.engine import delivery
from dragoman.model import Message, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent, Timestamp
from dragoman.security.signatures import load_keys, make_secret, sign

NOW = Timestamp.parse("2026-11-22T12:00:00Z")
SECRET = make_secret()
STATUS = {"state": "TASK_STATE_WORKING"}
PART = {"text": "hi"}
EVENTS = {
    Task: {"task": {"id": "t1", "contextId": "c1", "status": STATUS}},
    Message: {"message": {"messageId": "m1", "role": "ROLE_AGENT", "taskId": "t1", "parts": [PART]}},
    TaskStatusUpdateEvent: {"statusUpdate": {"taskId": "t1", "contextId": "c1", "status": STATUS}},
    TaskArtifactUpdateEvent: {
        "artifactUpdate": {
            "taskId": "t1",
            "contextId": "c1",
            "artifact": {"artifactId": "a", "parts": [PART]},
        }
    },
}
BODY = json.dumps(EVENTS[Task]).encode()


def signed(body=BODY, *, id="n1", secret=SECRET, at=NOW):
    return sign(load_keys([secret]), id, at, body)


def make_receiver(**options) -> Any:
    if "tokens" not in options:
        options.setdefault("secrets", (SECRET,))
    return NotificationReceiver(clock=lambda: NOW, **options)


@pytest.mark.parametrize("kind", list(EVENTS), ids=lambda kind: kind.__name__)
def test_a_notification_is_its_event_its_task_and_its_id(kind):
    body = json.dumps(EVENTS[kind]).encode()
    taken = make_receiver().receive(signed(body), body)
    assert isinstance(taken.event, kind)
    assert (taken.task_id, taken.id, taken.is_signed, taken.has_token) == ("t1", "n1", True, False)


def test_headers_may_be_spelled_in_any_case():
    headers = {name.title(): value for name, value in signed().items()}
    assert make_receiver().receive(headers, BODY) is not None


def test_a_repetition_is_none_and_another_task_has_its_own_ids():
    receiver = make_receiver()
    assert receiver.receive(signed(), BODY) is not None
    again = Timestamp.from_millis(NOW.millis + 60_000)
    assert receiver.receive(signed(at=again), BODY) is None
    other = BODY.replace(b"t1", b"t2")
    assert receiver.receive(signed(other), other) is not None


def test_the_oldest_ids_are_forgotten_first():
    receiver = make_receiver(remember=2)
    taken = [receiver.receive(signed(id=one), BODY) is not None for one in ("1", "2", "1", "3", "2", "1")]
    assert taken == [True, True, False, True, False, True]


def test_an_agent_without_ids_is_believed_that_everything_is_new():
    receiver = make_receiver(tokens="secret-token")
    for _ in range(2):
        assert receiver.receive({TOKEN_HEADER: "secret-token"}, BODY).id == ""


def test_a_task_that_nobody_asked_about_is_refused_and_its_id_not_taken():
    expected: set[str] = set()
    receiver = make_receiver(expected_task=expected.__contains__)
    with pytest.raises(UnexpectedTaskError) as caught:
        receiver.receive(signed(), BODY)
    assert caught.value.status == 404
    expected.add("t1")
    assert receiver.receive(signed(), BODY).task_id == "t1"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(secret=make_secret()),
        signed(BODY + b" "),
        {**signed(), "webhook-id": "n2"},
        {TOKEN_HEADER: "token"},
    ],
    ids=["nothing", "other secret", "other body", "other id", "a token instead"],
)
def test_without_a_right_signature_nothing_is_believed(headers):
    with pytest.raises(NotAuthenticError) as caught:
        make_receiver().receive(headers, BODY)
    assert caught.value.status == 401


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_notification_of_another_time_is_refused(seconds):
    at = Timestamp.from_millis(NOW.millis + seconds * 1000)
    with pytest.raises(StaleNotificationError) as caught:
        make_receiver().receive(signed(at=at), BODY)
    assert caught.value.status == 401
    assert make_receiver(max_age=timedelta(minutes=6)).receive(signed(at=at), BODY) is not None


@pytest.mark.parametrize("seconds", ["1", "soon", ""])
def test_a_timestamp_counts_without_a_signature_too_where_there_is_one(seconds):
    receiver = make_receiver(tokens="token")
    with pytest.raises(StaleNotificationError):
        receiver.receive({TOKEN_HEADER: "token", "webhook-timestamp": seconds}, BODY)


@pytest.mark.parametrize(
    "headers",
    [
        {TOKEN_HEADER: "token-1"},
        {"X-A2A-Notification-Token": "token-2"},
        {"authorization": "Bearer token-1"},
        {"authorization": "Custom  token-2 ", TOKEN_HEADER: "other"},
    ],
)
def test_a_token_is_known_wherever_the_agent_was_told_to_put_it(headers):
    assert make_receiver(tokens=("token-1", "token-2")).receive(headers, BODY).has_token


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {TOKEN_HEADER: ""},
        {TOKEN_HEADER: "t"},
        {TOKEN_HEADER: "token-1, token-1"},
        {TOKEN_HEADER: "tökén"},
        {"authorization": "token-1"},
        {"authorization": "Bearer"},
    ],
)
@pytest.mark.parametrize(
    "tokens", [("token-1", ""), "token-1", lambda task_id: "token-1", lambda task_id: ("", "token-1")]
)
def test_a_wrong_token_and_an_empty_one_are_refused(headers, tokens):
    with pytest.raises(NotAuthenticError):
        make_receiver(tokens=tokens).receive(headers, BODY)


def test_a_token_can_belong_to_one_task_only():
    receiver = make_receiver(tokens={"t1": "token-1", "t2": ("token-2", "token-3")}.get)
    assert receiver.receive({TOKEN_HEADER: "token-1"}, BODY) is not None
    with pytest.raises(NotAuthenticError):
        receiver.receive({TOKEN_HEADER: "token-1"}, BODY.replace(b"t1", b"t2"))
    with pytest.raises(NotAuthenticError):
        receiver.receive({TOKEN_HEADER: "token-1"}, BODY.replace(b"t1", b"t3"))
    assert receiver.receive({TOKEN_HEADER: "token-3"}, BODY.replace(b"t1", b"t2")) is not None


@pytest.mark.parametrize(
    "options", [{"tokens": "token"}, {"secrets": (SECRET,)}, {"tokens": lambda task_id: "token"}]
)
def test_a_stranger_s_body_is_not_even_read(options):
    with pytest.raises(NotAuthenticError):
        make_receiver(**options).receive({}, b"not json")


def test_where_secrets_and_tokens_are_configured_both_have_to_be_right():
    receiver = make_receiver(secrets=(SECRET,), tokens="token")
    for headers in (signed(), {TOKEN_HEADER: "token"}, {**signed(), TOKEN_HEADER: "other"}):
        with pytest.raises(NotAuthenticError):
            receiver.receive(headers, BODY)
    taken = receiver.receive({**signed(), TOKEN_HEADER: "token"}, BODY)
    assert (taken.is_signed, taken.has_token) == (True, True)


@pytest.mark.parametrize("options", [{}, {"tokens": ""}, {"tokens": ("",)}, {"tokens": ()}])
def test_a_receiver_that_would_believe_everybody_is_not_made(options):
    with pytest.raises(ValueError, match="believe everybody"):
        NotificationReceiver(**options)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"task": {}}',
        b'{"task": 1}',
        b"\xff",
        b"[" * 5000,
        b'{"jsonrpc": "2.0", "result": {}}',
    ],
)
def test_what_is_no_event_is_malformed(body):
    with pytest.raises(MalformedNotificationError) as caught:
        make_receiver().receive(signed(body), body)
    assert caught.value.status == 400


@pytest.mark.parametrize("id", ["x" * 257, "a b", "ä"])
def test_an_id_that_is_none_is_malformed(id):
    with pytest.raises(MalformedNotificationError):
        make_receiver(tokens="token").receive({TOKEN_HEADER: "token", "webhook-id": id}, BODY)


def test_more_bytes_than_are_taken_are_refused_before_anything_else():
    with pytest.raises(NotificationTooLargeError) as caught:
        make_receiver(max_body_bytes=len(BODY) - 1).receive({}, BODY)
    assert caught.value.status == 413
    assert make_receiver(max_body_bytes=len(BODY)).receive(signed(), BODY) is not None


def test_the_header_of_the_token_is_the_one_that_agents_send():
    assert delivery.TOKEN_HEADER.lower() == TOKEN_HEADER


class Hook:
    """An app in process, and what its callback was given."""

    def __init__(self, *failures, **options):
        self.taken = []
        self.failures = list(failures)
        self.receiver = make_receiver(**options)
        self.http = AsgiHttp(self.receiver.as_asgi(self.take))

    async def take(self, notification):
        self.taken.append(notification)
        if self.failures and (failure := self.failures.pop(0)):
            raise failure

    async def post(self, headers=None, body=BODY, verb="POST"):
        headers = signed(body) if headers is None else headers
        reply = await self.http.request(HttpRequest(verb, "http://hook.test/", headers, body))
        assert reply.body == b""
        return reply.status


async def test_a_notification_is_acknowledged_after_the_callback():
    hook = Hook()
    assert await hook.post() == 204
    assert [one.id for one in hook.taken] == ["n1"]


async def test_a_repetition_is_acknowledged_without_the_callback():
    hook = Hook()
    assert [await hook.post() for _ in range(3)] == [204, 204, 204]
    assert len(hook.taken) == 1


@pytest.mark.parametrize(
    "headers, body, status",
    [
        ({}, BODY, 401),
        (signed(secret=make_secret()), BODY, 401),
        (signed(at=Timestamp.from_millis(0)), BODY, 401),
        (signed(b"{}"), b"{}", 400),
        (None, BODY.replace(b"t1", b"t9"), 404),
        (signed(b"x" * 1001), b"x" * 1001, 413),
    ],
)
async def test_a_refusal_is_a_status_and_nothing_else(headers, body, status, caplog):
    hook = Hook(expected_task={"t1"}.__contains__, max_body_bytes=1000)
    assert await hook.post(headers, body) == status
    assert hook.taken == []
    assert f"refused with HTTP {status}" in caplog.text
    assert SECRET not in caplog.text


async def test_a_callback_that_fails_is_given_the_notification_again(caplog):
    hook = Hook(RuntimeError("the database is hunter2"), None)
    assert [await hook.post() for _ in range(3)] == [500, 204, 204]
    assert len(hook.taken) == 2
    assert caplog.records[0].levelno == logging.ERROR


async def test_a_callback_may_refuse():
    hook = Hook(UnexpectedTaskError("gone"))
    assert await hook.post() == 404
    assert await hook.post() == 204


async def test_a_second_attempt_while_the_first_is_handled_is_told_to_come_back():
    is_open, reached = asyncio.Event(), asyncio.Event()
    failures = [RuntimeError("too late")]

    async def slow(_):
        reached.set()
        await is_open.wait()
        if failures:
            raise failures.pop()

    http = AsgiHttp(make_receiver().as_asgi(slow))
    request = HttpRequest("POST", "http://hook.test/", signed(), BODY)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(http.request(request))
        await reached.wait()
        assert (await http.request(request)).status == 503
        is_open.set()
    assert first.result().status == 500
    assert (await http.request(request)).status == 204


async def test_a_callback_that_is_cancelled_leaves_the_notification_to_be_sent_again():
    reached = asyncio.Event()
    calls = []

    async def take(notification):
        calls.append(notification)
        reached.set()
        if len(calls) == 1:
            await asyncio.Event().wait()

    app = make_receiver().as_asgi(take)
    scope = make_scope()
    first = asyncio.create_task(app(scope, make_receive(BODY), as_send([])))
    await reached.wait()
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    assert (
        await AsgiHttp(app).request(HttpRequest("POST", "http://hook.test/", signed(), BODY))
    ).status == 204
    assert len(calls) == 2


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_not_allowed(verb):
    assert await Hook().post(verb=verb) == 405


async def test_headers_that_come_twice_prove_nothing():
    token = (TOKEN_HEADER.encode(), b"token")
    app = make_receiver(tokens="token").as_asgi(Hook().take)
    assert await call(app, [token], BODY) == 204
    assert await call(app, [token, token], BODY) == 401


@pytest.mark.parametrize("length", [None, b"1001", b"9" * 30, b"5", b"nonsense"])
async def test_a_body_is_read_no_further_than_its_limit(length):
    app = make_receiver(max_body_bytes=1000).as_asgi(Hook().take)
    headers = [(b"content-length", length)] if length else []
    assert await call(app, headers, *[b"x" * 400] * 1000) == 413


async def test_a_body_that_does_not_come_is_given_up(monkeypatch):
    monkeypatch.setattr("dragoman.client.receiver_app.BODY_TIMEOUT_SECONDS", 0)
    sent: list[Any] = []
    app = make_receiver().as_asgi(Hook().take)
    await app(make_scope(), receive_nothing, as_send(sent))
    assert sent[0]["status"] == 408


async def test_a_sender_that_hangs_up_is_not_answered():
    app = make_receiver().as_asgi(Hook().take)

    async def receive():
        return {"type": "http.disconnect"}

    await app(make_scope(), receive, as_send([]))


async def test_the_app_can_be_served_alone_and_takes_no_websockets():
    app = make_receiver().as_asgi(Hook().take)
    sent: list[Any] = []

    async def receive():
        return {"type": "lifespan.startup"}

    await app({"type": "lifespan"}, receive, as_send(sent))
    await app({"type": "websocket"}, receive, as_send(sent))
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
        "websocket.close",
    ]


def test_every_refusal_has_a_status_of_its_kind():
    kinds = NotificationError.__subclasses__()
    assert {kind.status for kind in kinds} == {400, 401, 404, 413}


def make_scope(headers=None):
    if headers is None:
        headers = [(name.encode(), value.encode()) for name, value in signed().items()]
    return {"type": "http", "method": "POST", "headers": headers}


def make_receive(*chunks):
    rest = list(chunks)

    async def receive():
        chunk = rest.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(rest)}

    return receive


async def receive_nothing() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


def as_send(sent):
    async def send(message):
        sent.append(message)

    return send


async def call(app, headers, *chunks):
    sent: list[Any] = []
    await app(make_scope(headers), make_receive(*chunks), as_send(sent))
    return sent[0]["status"]
