"""The sender of notifications: what it signs, what it refuses to carry, and whom it refuses to call."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from dragoman.client import NotificationReceiver
from dragoman.engine import DeliveryError
from dragoman.model import Timestamp, utc_now
from dragoman.security import EgressPolicy, make_secret
from dragoman.server.webhooks import RESERVED_HEADERS, WebhookOptions, WebhookSender
from tests.interaction.requirements import requirement
from tests.interaction.sockets import serving
from tests.peer.receiver import Receiver

LOOPBACK = EgressPolicy.allowing(["127.0.0.0/8"])
NAME = "hook.example"
SECRET, NEW_SECRET = make_secret(), make_secret()
EVENT = b'{"statusUpdate":{"taskId":"t1","contextId":"c1","status":{"state":"TASK_STATE_WORKING"}}}'
SUBMITTED = {"webhook-id": "n1", "Content-Type": "application/a2a+json"}

FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.7",
    "169.254.169.254",
    "100.64.0.1",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1",
    "fd00::1",
]


@asynccontextmanager
async def sending(egress=LOOPBACK, clock=utc_now, **options):
    sender = WebhookSender(WebhookOptions(egress=egress, **options), clock=clock)
    try:
        yield sender
    finally:
        await sender.aclose()


@pytest.fixture
async def receiver():
    async with Receiver() as receiver:
        yield receiver


class Resolver:
    """Answers for `NAME` with each of the addresses in turn, and for everything else as the system does."""

    def __init__(self, monkeypatch, *answers):
        self.asked = 0
        self._answers = answers
        self._system = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host, port, *args, **options):
        if host not in (NAME, NAME.encode()):
            return self._system(host, port, *args, **options)
        answer = self._answers[self.asked % len(self._answers)]
        self.asked += 1
        return [_entry(address, port) for address in ([answer] if isinstance(answer, str) else answer)]


def _entry(address, port):
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


def at(name, receiver):
    return receiver.url.replace("127.0.0.1", name)


# --- what is signed --------------------------------------------------------------------------------------------------


@requirement("PSH-05", "PSH-11", "PSH-20")
async def test_what_the_sender_signs_the_receiver_believes_over_a_socket():
    taken = []

    async def take(notification):
        taken.append(notification)

    hooks = NotificationReceiver(secrets=(SECRET,), tokens="token")
    headers = {**SUBMITTED, "X-A2A-Notification-Token": "token"}
    async with serving(hooks.as_asgi(take)) as url:
        async with sending(secrets=(SECRET,)) as sender:
            await sender(url, headers, EVENT)
            await sender(url, headers, EVENT)
        async with sending(secrets=(SECRET, NEW_SECRET)) as sender:
            await sender(url, {**headers, "webhook-id": "n2"}, EVENT)
        async with sending(secrets=(NEW_SECRET,)) as sender:
            with pytest.raises(DeliveryError, match="401"):
                await sender(url, {**headers, "webhook-id": "n3"}, EVENT)
        async with sending() as sender:
            with pytest.raises(DeliveryError, match="401"):
                await sender(url, {**headers, "webhook-id": "n4"}, EVENT)
    assert [(one.id, one.task_id) for one in taken] == [("n1", "t1"), ("n2", "t1")]


@requirement("PSH-20")
async def test_every_attempt_has_its_own_time_and_all_have_the_same_id(receiver):
    times = iter((1000_000, 2000_999))
    async with sending(secrets=(SECRET,), clock=lambda: Timestamp.from_millis(next(times))) as sender:
        for _ in range(2):
            await sender(receiver.url, SUBMITTED, EVENT)
    first, second = (one.headers for one in receiver.taken)
    assert [first["webhook-timestamp"], second["webhook-timestamp"]] == ["1000", "2000"]
    assert first["webhook-id"] == second["webhook-id"] == "n1"
    assert first["webhook-signature"] != second["webhook-signature"]


async def test_each_secret_makes_a_signature(receiver):
    async with sending(secrets=(SECRET, NEW_SECRET)) as sender:
        await sender(receiver.url, SUBMITTED, EVENT)
    signatures = receiver.taken[0].headers["webhook-signature"].split(" ")
    assert [signature[:3] for signature in signatures] == ["v1,", "v1,"]


@requirement("PSH-20")
async def test_without_a_secret_there_is_a_time_and_no_signature(receiver):
    async with sending() as sender:
        await sender(receiver.url, SUBMITTED, EVENT)
    headers = receiver.taken[0].headers
    assert headers["webhook-timestamp"].isdecimal()
    assert headers["webhook-id"] == "n1"
    assert "webhook-signature" not in headers


async def test_a_notification_without_an_id_gets_one_to_sign(receiver):
    async with sending(secrets=(SECRET,)) as sender:
        await sender(receiver.url, {}, EVENT)
        await sender(receiver.url, {}, EVENT)
    assert len({one.headers["webhook-id"] for one in receiver.taken}) == 2


async def test_an_id_that_cannot_be_signed_is_not_sent(receiver):
    async with sending(secrets=(SECRET,)) as sender:
        with pytest.raises(DeliveryError, match="the id of a notification"):
            await sender(receiver.url, {"webhook-id": "task.1"}, EVENT)
    assert receiver.taken == []


def test_secrets_are_checked_when_they_are_given_and_never_shown():
    assert SECRET not in repr(WebhookOptions(secrets=(SECRET,)))
    with pytest.raises(ValueError, match="make_secret"):
        WebhookOptions(secrets=("hunter2",))


# --- what callers cannot bring in ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Host", "webhook-signature", "Webhook-Timestamp", "Transfer-Encoding", "Cookie"]
)
async def test_a_header_that_is_reserved_is_not_carried(receiver, name):
    assert name.lower() in RESERVED_HEADERS
    async with sending(secrets=(SECRET,)) as sender:
        with pytest.raises(DeliveryError, match=f"may not set {name.lower()}"):
            await sender(receiver.url, {**SUBMITTED, name: "x"}, EVENT)
    assert receiver.taken == []


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\0"])
async def test_a_value_does_not_break_out_of_its_line(receiver, end):
    value = f"Bearer x{end}webhook-signature: v1,forged"
    async with sending() as sender:
        with pytest.raises(DeliveryError):
            await sender(receiver.url, {"Authorization": value}, EVENT)
    assert receiver.taken == []


async def test_what_one_receiver_sets_as_a_cookie_reaches_no_other(monkeypatch):
    Resolver(monkeypatch, "127.0.0.1")
    cookies = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            cookies.append(dict(scope["headers"]).get(b"cookie"))
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"a=1; Path=/")]}
            )
            await send({"type": "http.response.body", "body": b""})

    async with serving(app) as url, sending() as sender:
        for _ in range(2):
            await sender(url.replace("127.0.0.1", NAME), {}, EVENT)
    assert cookies == [None, None]


# --- whom it does not call -------------------------------------------------------------------------------------------


@requirement("PSH-10", "PSH-19")
async def test_a_name_that_is_public_when_checked_and_loopback_when_dialled_is_refused(receiver, monkeypatch):
    resolver = Resolver(monkeypatch, "8.8.8.8", "127.0.0.1")
    ((*_, first),) = await asyncio.get_running_loop().getaddrinfo(NAME, 80)
    EgressPolicy().check(str(first[0]))  # what a check ahead of the call would have seen
    async with sending(EgressPolicy()) as sender:
        with pytest.raises(DeliveryError, match=r"127\.0\.0\.1 is not a public address"):
            await sender(at(NAME, receiver), {}, EVENT)
    assert resolver.asked == 2
    assert receiver.taken == []


@requirement("PSH-10")
@pytest.mark.parametrize("forbidden", ["10.0.0.7", "::ffff:10.0.0.7", "::1", "169.254.169.254"])
async def test_no_address_that_was_right_once_is_trusted_again(receiver, monkeypatch, forbidden):
    Resolver(monkeypatch, "127.0.0.1", forbidden)
    async with sending() as sender:
        for _ in range(3):
            await sender(at(NAME, receiver), {}, EVENT)
            with pytest.raises(DeliveryError, match="not a public address"):
                await sender(at(NAME, receiver), {}, EVENT)
    assert len(receiver.taken) == 3


@requirement("PSH-10")
@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_name_for_an_address_of_the_operator_is_refused(receiver, monkeypatch, address):
    Resolver(monkeypatch, address)
    async with sending(EgressPolicy()) as sender:
        with pytest.raises(DeliveryError, match="not a public address"):
            await sender(at(NAME, receiver), {}, EVENT)
    assert receiver.taken == []


@requirement("PSH-10")
@pytest.mark.parametrize(
    "addresses", [["127.0.0.1", "::1"], ["::1", "127.0.0.1"], ["::ffff:127.0.0.1", "10.0.0.7"]]
)
async def test_a_name_for_several_of_them_is_refused_for_all(receiver, monkeypatch, addresses):
    Resolver(monkeypatch, addresses)
    async with sending(EgressPolicy()) as sender:
        with pytest.raises(DeliveryError, match="not a public address"):
            await sender(at(NAME, receiver), {}, EVENT)
    assert receiver.taken == []


@requirement("PSH-10")
async def test_of_several_addresses_only_the_allowed_one_is_dialled(receiver, monkeypatch):
    Resolver(monkeypatch, ["10.0.0.7", "::1", "127.0.0.1"])
    async with sending() as sender:
        await sender(at(NAME, receiver), {}, EVENT)
    assert len(receiver.taken) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://" + "a" * 300 + "/",
        "http://a..b/",
        "http://[::1%25lo]:1/",
        "http://xn--\u0378/",
        "http://127.0.0.1:1/\ud800",
        "http://\u2100.example/",
        "http://user:pass@127.0.0.1:1/",
        "http://[/",
        "http://",
        "ftp://127.0.0.1/",
        "hook",
        "",
    ],
    ids=ascii,
)
async def test_whatever_is_wrong_with_a_url_is_a_failed_delivery(url):
    async with sending() as sender:
        with pytest.raises(DeliveryError):
            await sender(url, {"Authorization": "Bearer x"}, EVENT)


@requirement("PSH-10")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "user:password@127.0.0.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "localhost",
        "localhost.",
    ],
)
async def test_no_way_to_write_loopback_is_a_way_in(receiver, host):
    async with sending(EgressPolicy()) as sender:
        with pytest.raises(DeliveryError):
            await sender(at(host, receiver), {}, EVENT)
    assert receiver.taken == []


@requirement("PSH-10")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_not_followed(receiver, status):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            location = [(b"location", receiver.url.encode())]
            await send({"type": "http.response.start", "status": status, "headers": location})
            await send({"type": "http.response.body", "body": b""})

    async with serving(app) as url, sending() as sender:
        with pytest.raises(DeliveryError, match=f"HTTP {status}"):
            await sender(url, {}, EVENT)
    assert receiver.taken == []


@requirement("PSH-10")
async def test_no_proxy_of_the_environment_is_asked(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, receiver.url.removesuffix("/hook"))
    Resolver(monkeypatch, "10.0.0.7")
    async with sending() as sender:
        with pytest.raises(DeliveryError, match="not a public address"):
            await sender(f"http://{NAME}/hook", {}, EVENT)
    assert receiver.taken == []
