"""Headers, retries and interfaces of a call."""

import pytest

from dragoman import Limits
from dragoman.client import AnswerLimits, Client, TaskHandle, Timeout
from dragoman.client.http import AsgiHttp
from dragoman.model import (
    AgentCapabilities,
    BadResponse,
    Binding,
    InternalError,
    NeverSent,
    PermissionDeniedError,
    PushNotificationNotSupportedError,
    Rejected,
    TimedOut,
    UnauthenticatedError,
    UnavailableError,
    Unreachable,
    UnsupportedOperationError,
    wrap_reply,
)
from dragoman.resilience import Backoff
from tests.unit.client.scripted import Cut, FastWorld, Reply, ScriptedAgent, gives, interface, make_card, task

BINDINGS = [Binding.JSONRPC, Binding.REST]
DONE = wrap_reply(task())


class Unplugged(AsgiHttp):
    """A network in which some hosts do not answer."""

    def __init__(self, app, *dead, failures=1000):
        super().__init__(app)
        self.dead = dead
        self.failures = failures

    async def open(self, request):
        if request.url.startswith(self.dead) and self.failures:
            self.failures -= 1
            raise NeverSent("cannot connect", url=request.url)
        return await super().open(request)


@pytest.mark.parametrize("binding", BINDINGS)
async def test_every_call_names_version_and_extensions(binding):
    agent = ScriptedAgent(GetTask=gives(task()))
    async with Client(
        agent, bindings=[binding], extensions=["urn:a", "urn:b"], headers={"X-Key": "k"}
    ) as client:
        await client.get_task("t1")
    headers = agent.of("GetTask")[0].headers
    assert (headers["a2a-version"], headers["a2a-extensions"], headers["x-key"]) == (
        "1.0",
        "urn:a,urn:b",
        "k",
    )


@pytest.mark.parametrize("binding", BINDINGS)
async def test_every_request_names_the_tenant_of_its_interface(binding):
    card = make_card(
        supported_interfaces=(
            interface("JSONRPC", tenant="acme"),
            interface("HTTP+JSON", "/rest", tenant="acme"),
        )
    )
    agent = ScriptedAgent(card, GetTask=gives(task()), SendMessage=gives(DONE))
    async with Client(agent, bindings=[binding]) as client:
        await client.get_task("t1")
        await client.send("hi")
    assert [call.request["tenant"] for call in agent.calls[1:]] == ["acme", "acme"]


async def test_without_a_tenant_none_is_sent():
    agent = ScriptedAgent(GetTask=gives(task()))
    async with Client(agent) as client:
        await client.get_task("t1")
    assert agent.of("GetTask")[0].request == {"id": "t1"}


async def test_a_tenant_of_the_caller_replaces_it():
    agent = ScriptedAgent(GetTask=gives(task()))
    async with Client(agent, tenant="mine") as client:
        await client.get_task("t1")
    assert agent.of("GetTask")[0].request["tenant"] == "mine"


@pytest.mark.parametrize("failure", [Cut, UnavailableError(), Reply(503, b""), Reply(502), Reply(504)])
async def test_a_read_is_tried_again(failure):
    world = FastWorld()
    agent = ScriptedAgent(GetTask=gives(failure, failure, task()))
    async with Client(agent, world=world.world) as client:
        assert await client.get_task("t1") == task()
    assert len(world.waits) == 2


async def test_a_read_is_given_up_after_the_last_attempt():
    agent = ScriptedAgent(GetTask=gives(Cut))
    async with Client(agent, retry=Backoff(attempts=2), world=FastWorld().world) as client:
        with pytest.raises(Unreachable):
            await client.get_task("t1")
    assert len(agent.of("GetTask")) == 2


@pytest.mark.parametrize("error", [InternalError(), Reply(400, b"no")])
async def test_an_answer_that_is_final_is_not_asked_for_again(error):
    agent = ScriptedAgent(GetTask=gives(error))
    async with Client(agent, world=FastWorld().world) as client:
        with pytest.raises((InternalError, Rejected)):
            await client.get_task("t1")
    assert len(agent.of("GetTask")) == 1


@pytest.mark.parametrize("failure", [Cut, Reply(502), Reply(503), Reply(504)])
async def test_a_send_that_may_have_arrived_is_not_sent_again(failure):
    agent = ScriptedAgent(SendMessage=gives(failure))
    async with Client(agent, world=FastWorld().world) as client:
        with pytest.raises((Unreachable, Rejected)):
            await client.send("hi")
    assert len(agent.of("SendMessage")) == 1


@pytest.mark.parametrize("operation", ["SendMessage", "SendStreamingMessage"])
@pytest.mark.parametrize(
    "busy", [Reply(503, b"", {"retry-after": "7"}), Reply(429, b"", {"retry-after": "7"})]
)
async def test_a_send_that_was_turned_away_is_the_same_one_when_it_comes_back(operation, busy):
    world = FastWorld()
    agent = ScriptedAgent(None, **{operation: gives(busy, busy, DONE)})
    async with Client(agent, world=world.world) as client:
        if operation == "SendMessage":
            await client.send("hi")
        else:
            assert [event async for event in client.stream("hi")] == [task()]
    first, *again = agent.of(operation)
    assert len(again) == 2
    assert all(call.request == first.request for call in again)
    assert {call.headers["idempotency-key"] for call in (first, *again)} == {first.headers["idempotency-key"]}
    assert world.waits == [7, 7]


async def test_a_send_that_never_left_is_sent_again():
    agent = ScriptedAgent(SendMessage=gives(DONE))
    http = Unplugged(agent, "http://agent.example", failures=2)
    async with Client(agent.card, http=http, bindings=[Binding.JSONRPC], world=FastWorld().world) as client:
        await client.send("hi")
    assert len(agent.of("SendMessage")) == 1


async def test_each_send_has_ids_of_its_own():
    agent = ScriptedAgent(SendMessage=gives(DONE))
    async with Client(agent) as client:
        await client.send("hi")
        await client.send("hi")
    one, two = agent.of("SendMessage")
    assert one.headers["idempotency-key"] != two.headers["idempotency-key"]
    assert one.request["message"]["messageId"] != two.request["message"]["messageId"]


async def test_reads_have_no_key():
    agent = ScriptedAgent(GetTask=gives(task()))
    async with Client(agent) as client:
        await client.get_task("t1")
    assert "idempotency-key" not in agent.of("GetTask")[0].headers


async def test_an_agent_that_wants_too_long_a_wait_is_given_up():
    agent = ScriptedAgent(GetTask=gives(Reply(503, b"", {"retry-after": "3600"})))
    async with Client(agent, world=FastWorld().world) as client:
        with pytest.raises(UnavailableError) as caught:
            await client.get_task("t1")
    assert caught.value.retry_after.total_seconds() == 3600
    assert len(agent.of("GetTask")) == 1


async def test_an_interface_that_cannot_be_reached_gives_way_to_the_next():
    card = make_card(
        supported_interfaces=(
            interface("JSONRPC", url="http://dead.example"),
            interface("HTTP+JSON", "/rest"),
        )
    )
    agent = ScriptedAgent(card, GetTask=gives(task()), SendMessage=gives(DONE))
    world = FastWorld()
    async with Client(card, http=Unplugged(agent, "http://dead.example"), world=world.world) as client:
        await client.send("hi")
        await client.get_task("t1")
    assert [call.path for call in agent.calls] == ["/message:send", "/tasks/t1"]
    assert world.waits == [0.0]


async def test_a_silent_agent_is_timed_out_but_not_one_that_works_on_a_send():
    async def slow(call):
        import asyncio

        await asyncio.sleep(0.1)
        return DONE if call.operation == "SendMessage" else task()

    agent = ScriptedAgent(GetTask=slow, SendMessage=slow)
    async with Client(agent, timeout=Timeout(idle_seconds=0.02), world=FastWorld().world) as client:
        with pytest.raises(TimedOut):
            await client.get_task("t1")
        assert isinstance(await client.send("hi"), TaskHandle)


async def test_a_deadline_holds_for_a_send():
    async def stall(call):
        import asyncio

        await asyncio.Event().wait()

    agent = ScriptedAgent(SendMessage=stall)
    async with Client(agent) as client:
        with pytest.raises(TimedOut, match=r"no result after 0.02 seconds"):
            await client.send("hi", deadline=0.02)


async def test_an_answer_over_the_limit_is_a_bad_response():
    agent = ScriptedAgent(GetTask=gives(task(says="x" * 5000)))
    async with Client(agent, limits=AnswerLimits(max_response_bytes=1000)) as client:
        with pytest.raises(BadResponse, match="larger than 1000 bytes"):
            await client.get_task("t1")


async def test_an_event_over_the_limit_is_a_bad_response():
    async def script(call):
        yield task(says="x" * 5000)

    agent = ScriptedAgent(SendStreamingMessage=script)
    async with Client(agent, limits=AnswerLimits(max_event_bytes=1000)) as client:
        with pytest.raises(BadResponse, match="larger than 1000 bytes"):
            _ = [event async for event in client.stream("hi")]


async def test_a_bad_response_names_the_member_and_the_address():
    agent = ScriptedAgent(GetTask=gives(Reply(200, b'{"jsonrpc":"2.0","id":1,"result":{"id":"t1"}}')))
    async with Client(agent) as client:
        with pytest.raises(BadResponse, match="status: is required") as caught:
            await client.get_task("t1")
    assert caught.value.url == "http://agent.example/rpc"


@pytest.mark.parametrize("code,kind", [(401, UnauthenticatedError), (403, PermissionDeniedError)])
async def test_a_bare_refusal_of_credentials_has_a_name(code, kind):
    agent = ScriptedAgent(GetTask=gives(Reply(code, b"go away", {"www-authenticate": "Basic"})))
    async with Client(agent) as client:
        with pytest.raises(kind):
            await client.get_task("t1")


async def test_a_redirect_of_a_call_is_not_followed():
    agent = ScriptedAgent(GetTask=gives(Reply(307, b"", {"location": "http://evil.example"})))
    async with Client(agent) as client:
        with pytest.raises(Rejected, match=r"redirects to 'http://evil.example'"):
            await client.get_task("t1")


async def test_fresh_credentials_are_asked_for_once():
    tokens = iter("abc")

    def auth(challenge):
        return {"Authorization": next(tokens)}

    agent = ScriptedAgent(SendMessage=gives(Reply(401, b"", {"www-authenticate": "Bearer"}), DONE))
    async with Client(agent.card, http=AsgiHttp(agent), auth=auth) as client:
        await client.send("hi")
    assert [call.headers["authorization"] for call in agent.calls] == ["a", "b"]


async def test_the_same_credentials_are_not_tried_twice():
    agent = ScriptedAgent(SendMessage=gives(Reply(401)))
    async with Client(agent, auth=lambda challenge: {"Authorization": "x"}) as client:
        with pytest.raises(UnauthenticatedError):
            await client.send("hi")
    assert len(agent.of("SendMessage")) == 1


async def test_what_the_card_does_not_declare_is_not_asked_for():
    agent = ScriptedAgent(make_card(capabilities=AgentCapabilities()))
    async with Client(agent) as client:
        with pytest.raises(PushNotificationNotSupportedError, match="push_notifications"):
            await client.create_push_config("t1", "https://me.example")
        with pytest.raises(UnsupportedOperationError, match="extended_agent_card"):
            await client.extended_card()
    assert [call.operation for call in agent.calls] == ["card"]


@pytest.mark.parametrize(
    "entry,suffix",
    [
        (interface("JSONRPC", "/rpc/"), ""),
        (interface("JSONRPC", "/rpc?key=1"), ""),
        (interface("JSONRPC", ""), ""),
        (interface("HTTP+JSON", "/rest/"), "tasks/t1"),
        (interface("HTTP+JSON", "/rest"), "/tasks/t1"),
    ],
)
async def test_calls_go_to_the_url_as_the_card_has_it(entry, suffix):
    seen = []

    class Net(AsgiHttp):
        async def open(self, request):
            seen.append(request.url)
            return await super().open(request)

    agent = ScriptedAgent(GetTask=gives(task()))
    async with Client(make_card(supported_interfaces=(entry,)), http=Net(agent)) as client:
        await client.get_task("t1")
    assert seen == [entry.url + suffix]


async def test_the_limits_of_an_agent_are_not_those_of_a_client():
    with pytest.raises(TypeError, match=r"AnswerLimits, and not dragoman.engine.limits.Limits"):
        Client("http://agent.example", limits=Limits())  # type: ignore[arg-type]
