"""Where an agent's card comes from and how long it holds."""

import asyncio

import pytest

from dragoman.client import Client
from dragoman.client.cards import find_card_url
from dragoman.client.http import AsgiHttp
from dragoman.model import (
    AgentCapabilities,
    BadResponse,
    Generation,
    Rejected,
    TimedOut,
    UnauthenticatedError,
    Unreachable,
    VersionMismatch,
)
from dragoman.wire.codec import encode
from dragoman.wire.freshness import DEFAULT_LIFETIME_SECONDS, get_lifetime
from tests.unit.client.scripted import Cut, FastWorld, Reply, ScriptedAgent, interface, make_card, serve, task


@pytest.mark.parametrize(
    "target,url",
    [
        ("http://a.example", "http://a.example/.well-known/agent-card.json"),
        ("http://a.example/", "http://a.example/.well-known/agent-card.json"),
        ("https://a.example:8/agents/b/", "https://a.example:8/agents/b/.well-known/agent-card.json"),
        ("http://a.example/x?y=1#z", "http://a.example/x/.well-known/agent-card.json"),
        ("http://a.example/cards/b.json", "http://a.example/cards/b.json"),
        ("http://a.example/b.json?v=2", "http://a.example/b.json?v=2"),
    ],
)
def test_the_address_of_the_card(target, url):
    assert find_card_url(target) == url


@pytest.mark.parametrize("target", ["agent.example", "ftp://a.example", "", "/x", "http://"])
def test_a_target_that_is_no_url_is_refused_at_once(target):
    with pytest.raises(ValueError, match="is not an http or https URL"):
        Client(target)


@pytest.mark.parametrize(
    "headers,seconds",
    [
        ({}, DEFAULT_LIFETIME_SECONDS),
        ({"cache-control": "public, max-age=60"}, 60),
        ({"cache-control": "Max-Age=60", "age": "20"}, 40),
        ({"cache-control": "max-age=60", "age": "90"}, 0),
        ({"cache-control": "max-age=0"}, 0),
        ({"cache-control": "no-cache, max-age=60"}, 0),
        ({"cache-control": "no-store"}, 0),
        ({"cache-control": "max-age=soon"}, DEFAULT_LIFETIME_SECONDS),
    ],
)
def test_the_lifetime_of_an_answer(headers, seconds):
    assert get_lifetime(headers) == seconds


async def test_a_card_is_fetched_once_while_it_holds():
    world = FastWorld()
    agent = ScriptedAgent()
    async with Client(agent, world=world.world) as client:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(client.card())
        world.time += DEFAULT_LIFETIME_SECONDS - 1
        assert await client.card() == agent.card
    assert len(agent.of("card")) == 1


async def test_a_card_that_has_expired_is_asked_after():
    world = FastWorld()
    replies = [
        Reply(200, encode(make_card()), {"etag": '"one"', "cache-control": "max-age=10"}),
        Reply(304, b"", {"cache-control": "max-age=20"}),
    ]

    async def script(call):
        return replies.pop(0)

    agent = ScriptedAgent(card=None)
    agent.scripts["card"] = script
    async with Client(agent, world=world.world) as client:
        first = await client.card()
        world.time += 10
        assert await client.card() is first
        world.time += 19
        assert await client.card() is first
    assert [call.headers.get("if-none-match") for call in agent.of("card")] == [None, '"one"']


async def test_a_new_card_leads_to_the_new_address():
    world = FastWorld()
    agent = ScriptedAgent(GetTask=lambda call: _give(task()))
    async with Client(agent, world=world.world) as client:
        await client.get_task("t1")
        agent.card = make_card(supported_interfaces=(interface("JSONRPC", "/other"),))
        world.time += DEFAULT_LIFETIME_SECONDS
        await client.get_task("t1")
    assert [call.path for call in agent.of("GetTask")] == ["/rpc", "/other"]


async def _give(answer):
    return answer


async def test_a_card_that_has_expired_serves_while_its_agent_is_away():
    world = FastWorld()
    agent = ScriptedAgent()
    async with Client(agent, world=world.world) as client:
        card = await client.card()
        world.time += DEFAULT_LIFETIME_SECONDS
        agent.scripts["card"] = _cut
        assert await client.card() is card


async def _cut(call):
    raise Cut


async def test_a_card_that_cannot_be_reached_is_tried_again_and_then_unreachable():
    world = FastWorld()
    agent = ScriptedAgent()
    agent.scripts["card"] = _cut
    async with Client(agent, world=world.world) as client:
        with pytest.raises(Unreachable):
            await client.card()
    assert len(agent.of("card")) == 4
    assert world.waits == [0.2, 0.4, 0.8]


async def get_card(reply: Reply):
    agent = ScriptedAgent()
    agent.scripts["card"] = lambda call: _give(reply)
    async with Client("http://agent.example/x", http=AsgiHttp(agent), world=FastWorld().world) as client:
        return await client.card()


async def test_a_refusal_tells_its_status():
    with pytest.raises(Rejected, match="HTTP 404: no such page") as caught:
        await get_card(Reply(404, b"no such page"))
    assert caught.value.status == 404
    assert caught.value.url == "http://agent.example/x/.well-known/agent-card.json"


async def test_what_is_not_json_is_a_bad_response():
    with pytest.raises(BadResponse, match="is not a card: invalid JSON"):
        await get_card(Reply(200, b"<html>"))


async def test_a_card_that_does_not_fit_names_the_members():
    body = encode(make_card()).replace(b'"name":"Scripted"', b'"name":7').replace(b'"version":"1",', b"")
    with pytest.raises(
        BadResponse, match=r"name: expected a non-empty string.*version: is required and missing"
    ):
        await get_card(Reply(200, body))


OLD_CARD = (
    b'{"name":"x","url":"http://x","protocolVersion":"0.3.0","version":"1","capabilities":{},"skills":[]}'
)


async def test_a_card_of_an_older_generation_is_read():
    card = await get_card(Reply(200, OLD_CARD))
    assert [(entry.protocol_binding, entry.protocol_version) for entry in card.supported_interfaces] == [
        ("JSONRPC", "0.3")
    ]


async def test_a_card_of_an_older_generation_that_does_not_fit_names_the_member():
    with pytest.raises(BadResponse, match=r"version: "):
        await get_card(Reply(200, OLD_CARD.replace(b'"version":"1",', b"")))


async def test_an_agent_of_a_generation_that_is_not_wanted_is_not_called():
    agent = ScriptedAgent()
    agent.scripts["card"] = lambda call: _give(Reply(200, OLD_CARD))
    http, world = AsgiHttp(agent), FastWorld().world
    async with Client(
        "http://agent.example/x", http=http, world=world, generations=[Generation.V1_0]
    ) as client:
        with pytest.raises(VersionMismatch, match=r"offers JSONRPC 0\.3"):
            await client.get_task("t1")
        assert (client.generation, client.interface) == (None, None)
    assert len(agent.calls) == 1


async def test_old_agents_have_their_card_at_the_old_place():
    agent = ScriptedAgent()

    async def at_old_place(call):
        found = call.path.endswith("/.well-known/agent.json")
        return Reply(200, OLD_CARD, {"etag": '"1"', "cache-control": "max-age=0"}) if found else Reply(404)

    agent.scripts["card"] = at_old_place
    world = FastWorld()
    async with Client("http://agent.example/x", http=AsgiHttp(agent), world=world.world) as client:
        await client.card()
        world.time += 1
        await client.card()
    assert [call.path for call in agent.calls] == [
        "/x/.well-known/agent-card.json",
        "/x/.well-known/agent.json",
        "/x/.well-known/agent.json",
    ]
    assert agent.calls[-1].headers["if-none-match"] == '"1"'


@pytest.mark.parametrize("url", ["http://agent.example/x", "http://agent.example/my/card.json"])
async def test_a_card_that_is_nowhere_is_missed_where_it_should_be(url):
    agent = ScriptedAgent()
    agent.scripts["card"] = lambda call: _give(Reply(404))
    async with Client(url, http=AsgiHttp(agent), world=FastWorld().world) as client:
        for _ in range(2):
            with pytest.raises(Rejected) as raised:
                await client.card()
            assert raised.value.url == find_card_url(url)
    assert {call.path for call in agent.calls} == (
        {"/my/card.json"}
        if url.endswith(".json")
        else {"/x/.well-known/agent-card.json", "/x/.well-known/agent.json"}
    )


async def test_a_card_that_answers_304_unasked_is_rejected():
    with pytest.raises(Rejected):
        await get_card(Reply(304))


async def test_a_card_over_the_limit_is_a_bad_response():
    with pytest.raises(BadResponse, match="larger than"):
        await get_card(Reply(200, b" " * (4 * 1024 * 1024 + 1)))


async def test_an_agent_that_does_not_answer_is_timed_out():
    from dragoman.client import Timeout

    async def app(scope, receive, send):
        await receive()
        await receive()

    world = FastWorld()
    async with Client(app, timeout=Timeout(idle_seconds=0.02), world=world.world) as client:
        with pytest.raises(TimedOut):
            await client.card()


async def test_a_redirect_is_followed_and_credentials_stay_at_home():
    seen = []

    async def at_home(call):
        return (
            Reply(308, b"", {"location": "/moved.json"})
            if "moved" not in call.path
            else Reply(302, b"", {"location": "http://elsewhere.example/c.json"})
        )

    class Net(AsgiHttp):
        async def open(self, request):
            seen.append((request.url, request.headers.get("authorization")))
            return await super().open(request)

    async def app(scope, receive, send):
        is_elsewhere = dict(scope["headers"])[b"host"] == b"elsewhere.example"
        await (elsewhere if is_elsewhere else home)(scope, receive, send)

    home, elsewhere = ScriptedAgent(), ScriptedAgent()
    home.scripts["card"] = at_home
    async with Client("http://home.example", headers={"Authorization": "Bearer x"}, http=Net(app)) as client:
        assert await client.card() == elsewhere.card
    assert seen == [
        ("http://home.example/.well-known/agent-card.json", "Bearer x"),
        ("http://home.example/moved.json", "Bearer x"),
        ("http://elsewhere.example/c.json", None),
    ]


async def test_a_redirect_in_a_circle_is_rejected():
    with pytest.raises(Rejected, match=r"redirects to '/x.json'"):
        await get_card(Reply(307, b"", {"location": "/x.json"}))


async def test_a_protected_card_gets_the_credentials():
    async def script(call):
        if call.headers.get("authorization") != "Bearer fresh":
            return Reply(401, b"", {"www-authenticate": 'Bearer realm="cards"'})
        return Reply(200, encode(agent.card))

    challenges = []

    async def auth(challenge):
        challenges.append(challenge)
        return {"Authorization": "Bearer fresh" if challenge else "Bearer stale"}

    agent = ScriptedAgent()
    agent.scripts["card"] = script
    async with Client(agent, auth=auth) as client:
        assert await client.card() == agent.card
    assert challenges == ["", 'Bearer realm="cards"']


async def test_a_protected_card_without_credentials_is_refused_with_the_challenge():
    with pytest.raises(UnauthenticatedError) as caught:
        await get_card(Reply(401, b"", {"www-authenticate": "Basic"}))
    assert caught.value.challenge == "Basic"


async def test_a_card_that_is_given_is_not_fetched():
    agent = ScriptedAgent(GetTask=lambda call: _give(task()))
    async with Client(agent.card, http=AsgiHttp(agent)) as client:
        assert await client.card() is agent.card
        await client.get_task("t1")
    assert [call.operation for call in agent.calls] == ["GetTask"]


async def test_a_card_url_is_used_as_it_is():
    agent = ScriptedAgent()
    async with serve(agent) as url, Client(url + "/cards/mine.json") as client:
        assert await client.card() == agent.card
    assert agent.calls[0].path == "/cards/mine.json"


async def test_the_extended_card_takes_the_place_of_the_public_one():
    world = FastWorld()
    extended = make_card(name="Extended", capabilities=AgentCapabilities(extended_agent_card=True))
    agent = ScriptedAgent(GetExtendedAgentCard=lambda call: _give(extended))
    async with Client(agent, world=world.world) as client:
        assert await client.extended_card() == extended
        world.time += 10 * DEFAULT_LIFETIME_SECONDS
        assert await client.card() == extended
    assert len(agent.of("card")) == 1


async def test_a_redirect_to_no_http_url_is_rejected():
    with pytest.raises(Rejected, match="redirects to 'file:///etc/passwd'"):
        await get_card(Reply(302, b"", {"location": "file:///etc/passwd"}))
