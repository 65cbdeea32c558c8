"""Tenants: named in any of the places that there are, and apart from each other (SPEC 4.7, D-30)."""

import json
from contextlib import AsyncExitStack

import pytest

from dragoman import Agents, Client, Principal
from dragoman.client.http import AsgiHttp, HttpRequest
from dragoman.security import Credentials
from tests.interaction.agents import Parrot
from tests.interaction.requirements import requirement
from tests.interaction.test_client import KINDS
from tests.interaction.wires import BASE, BINDINGS, Wire, over_http, send_params

CARD = "/.well-known/agent-card.json"


async def admit_to_acme(credentials: Credentials) -> Principal:
    return Principal(subject="alice", tenant="acme")


@pytest.fixture
async def at(parrot, binding):
    """Opens a wire to the parrot at a path."""
    async with AsyncExitStack() as stack:
        await parrot.start()
        stack.push_async_callback(parrot.stop)

        def open_wire(path: str) -> Wire:
            wire = BINDINGS[binding](parrot, BASE + path)
            stack.push_async_callback(wire.aclose)
            return wire

        yield open_wire


@pytest.fixture
def parrot() -> Parrot:
    return Parrot(tenants=["acme", "zenith"])


@requirement("ERR-12", "ERR-13")
@over_http
async def test_a_task_is_found_by_its_tenant_wherever_that_is_named_and_by_no_other(at):
    plain, acme, zenith = at(""), at("/acme"), at("/zenith")
    task_id = (await acme.send("hello")).task["id"]
    named = [
        await plain.call("GetTask", {"id": task_id, "tenant": "acme"}),
        await plain.call("GetTask", {"id": task_id}, a2a_tenant="acme"),
        await acme.call("GetTask", {"id": task_id, "tenant": "acme"}, a2a_tenant="acme"),
    ]
    assert [answer.task["id"] for answer in named] == [task_id] * 3
    strange = [
        await plain.call("GetTask", {"id": task_id}),
        await zenith.call("GetTask", {"id": task_id}),
        await zenith.call("CancelTask", {"id": task_id}),
        await zenith.call("SubscribeToTask", {"id": task_id}),
        await zenith.send("more", task_id=task_id),
        await plain.call("GetTask", {"id": "nobody"}),
    ]
    assert {(answer.error.reason, answer.error.message) for answer in strange} == {
        ("TASK_NOT_FOUND", "task not found")
    }
    assert [len((await one.call("ListTasks")).result["tasks"]) for one in (plain, acme, zenith)] == [0, 1, 0]


@requirement("ERR-10")
@pytest.mark.parametrize(
    "path, member, header",
    [("/acme", "zenith", ""), ("", "zenith", "acme"), ("/acme", "", "zenith"), ("", "", "acme, zenith")],
)
@over_http
async def test_two_tenants_are_refused_by_both_their_names(at, path, member, header):
    params = {**send_params(), **({"tenant": member} if member else {})}
    error = (await at(path).call("SendMessage", params, a2a_tenant=header)).error
    assert (error.reason, error.fields) == ("INVALID_PARAMS", ["tenant"])
    assert "'acme'" in str(error.details)
    assert "'zenith'" in str(error.details)


async def test_a_query_names_a_tenant_too(parrot):
    async with parrot.running():
        http = AsgiHttp(parrot)
        headers = {"a2a-version": "1.0", "content-type": "application/json"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": send_params()}
        posted = HttpRequest("POST", f"{BASE}/?tenant=acme", headers, json.dumps(body).encode())
        task = json.loads((await http.request(posted)).body)["result"]["task"]
        read = HttpRequest("GET", f"{BASE}/tasks/{task['id']}?tenant=acme", headers)
        assert (await http.request(read)).status == 200
        await http.close()


@over_http
async def test_a_tenant_that_is_none_of_the_agent_s_is_refused(at):
    for answer in (
        await at("").call("SendMessage", {**send_params(), "tenant": "nobody"}),
        await at("").call("SendMessage", send_params(), a2a_tenant="nobody"),
    ):
        assert (answer.error.reason, answer.error.fields) == ("INVALID_PARAMS", ["tenant"])


async def test_credentials_may_be_a_tenant_s_own(connect):
    wire = await connect(Parrot(authenticator=admit_to_acme))
    task_id = (await wire.send("hello")).task["id"]
    assert (await wire.call("GetTask", {"id": task_id, "tenant": "acme"})).is_result
    refused = (await wire.call("GetTask", {"id": task_id, "tenant": "zenith"})).error
    assert (refused.reason, refused.fields) == ("INVALID_PARAMS", ["tenant"])


@requirement("CRD-09")
@over_http
async def test_a_tenant_has_a_card_of_its_own_that_leads_to_it(parrot, binding):
    async with Client(parrot, bindings=[KINDS[binding]]) as plain, parrot.running():
        http = AsgiHttp(parrot)
        reply = await http.request(HttpRequest("GET", f"{BASE}/acme{CARD}"))
        urls = [entry["url"] for entry in json.loads(reply.body)["supportedInterfaces"]]
        assert urls == [f"{BASE}/acme/", f"{BASE}/acme"] * 2
        assert (await http.request(HttpRequest("GET", f"{BASE}/nobody{CARD}"))).status == 404
        async with Client(f"{BASE}/acme", http=AsgiHttp(parrot), bindings=[KINDS[binding]]) as acme:
            task = await acme.start("hello")
            await task
            assert [one.id async for one in acme.list_tasks()] == [task.id]
        assert [one.id async for one in plain.list_tasks()] == []
        await http.close()


async def test_a_public_url_is_put_before_the_tenant():
    agent = Parrot(tenants=["acme"], url="https://example.com/parrot")
    http = AsgiHttp(agent)
    card = json.loads((await http.request(HttpRequest("GET", f"{BASE}/acme{CARD}"))).body)
    assert card["supportedInterfaces"][0]["url"] == "https://example.com/parrot/acme/"
    await http.close()


@over_http
async def test_many_agents_and_tenants_live_under_one_address(binding):
    """Each agent below its path, each tenant below that; none sees another's tasks."""
    app = Agents({"/one": Parrot(tenants=["acme", "zenith"]), "/two": Twin(tenants=["acme"])})
    places = ["/one", "/one/acme", "/one/zenith", "/two", "/two/acme"]
    kind = BINDINGS[binding]
    async with app.running():
        wires = [kind(app, BASE + place) for place in places]
        sent = [(await wire.send(place)).task["id"] for wire, place in zip(wires, places, strict=True)]
        for wire, own in zip(wires, sent, strict=True):
            assert [task["id"] for task in (await wire.call("ListTasks")).result["tasks"]] == [own]
            found = [(await wire.call("GetTask", {"id": task_id})).is_result for task_id in sent]
            assert found == [task_id == own for task_id in sent]
        for wire in wires:
            await wire.aclose()
        http = AsgiHttp(app)
        reply = await http.request(HttpRequest("GET", f"{BASE}{CARD}"))
        assert reply.status == 404
        assert reply.body.decode().split()[-2:] == [f"/one{CARD}", f"/two{CARD}"]
        await http.close()


class Twin(Parrot):
    """The same under another name: tasks go by the names of agents."""

    @property
    def name(self) -> str:
        return "Twin"
