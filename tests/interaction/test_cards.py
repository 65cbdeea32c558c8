"""The card: what it says, where it says it and how long it holds (SPEC 4)."""

import json

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from dragoman import Agent, Principal
from dragoman.client.http import AsgiHttp, HttpRequest
from dragoman.model import AgentCapabilities, AgentCard
from dragoman.model.extensions import OWN_EXTENSIONS
from tests.interaction.agents import Parrot, admit_by_name
from tests.interaction.requirements import requirement
from tests.interaction.wires import BASE, JsonRpcWire, RestWire

CARD_URL = BASE + "/.well-known/agent-card.json"


async def fetch(app, url=CARD_URL, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await AsgiHttp(app).request(HttpRequest("GET", url, named))


async def load(app, url=CARD_URL):
    return json.loads((await fetch(app, url)).body)


@requirement("CRD-01", "CRD-11", "CRD-15", "JSN-09")
async def test_the_card_is_at_the_well_known_place_and_has_every_required_member(parrot):
    reply = await fetch(parrot)
    card = json.loads(reply.body)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    for name in (
        "name",
        "description",
        "version",
        "supportedInterfaces",
        "defaultInputModes",
        "defaultOutputModes",
        "skills",
    ):
        assert card[name], name
    extensions = card["capabilities"].pop("extensions")
    assert [entry["uri"] for entry in extensions] == list(OWN_EXTENSIONS)
    assert card["capabilities"] == {"streaming": True, "pushNotifications": True, "extendedAgentCard": False}
    for skill in card["skills"]:
        assert all(skill[name] for name in ("id", "name", "description", "tags"))


@requirement("CRD-02", "CRD-03", "CRD-04", "CRD-05", "BND-01", "BND-05", "VER-09")
async def test_every_interface_of_the_card_answers_in_its_binding_at_its_url(parrot):
    await parrot.start()
    kinds = {"JSONRPC": JsonRpcWire, "HTTP+JSON": RestWire}
    try:
        card = await load(parrot)
        latest = [entry for entry in card["supportedInterfaces"] if entry["protocolVersion"] == "1.0"]
        assert [entry["protocolBinding"] for entry in latest] == list(kinds)
        for entry in latest:
            wire = kinds[entry["protocolBinding"]](parrot, entry["url"].rstrip("/"))
            assert (await wire.send()).task["artifacts"]
            assert (await wire.call("ListTasks", a2a_version=entry["protocolVersion"])).is_result
    finally:
        await parrot.stop()


@requirement("CRD-10")
async def test_the_public_url_is_the_one_that_the_operator_gives():
    card = await load(Parrot(url="https://agents.example.org/parrot"))
    assert [entry["url"].rstrip("/") for entry in card["supportedInterfaces"]] == [
        "https://agents.example.org/parrot"
    ] * 4


@requirement("CRD-14")
async def test_agents_that_share_a_domain_have_a_card_each():
    app = Starlette(routes=[Mount("/one", Agent("One", "First")), Mount("/two", Agent("Two", "Second"))])
    one = await load(app, BASE + "/one/.well-known/agent-card.json")
    two = await load(app, BASE + "/two/.well-known/agent-card.json")
    assert (one["name"], two["name"]) == ("One", "Two")
    assert one["supportedInterfaces"][1]["url"] == BASE + "/one"
    assert two["supportedInterfaces"][1]["url"] == BASE + "/two"


@requirement("CRD-12")
async def test_the_card_tells_nothing_of_the_inside(tmp_path):
    reply = await fetch(Parrot(store=f"sqlite:///{tmp_path}/tasks.db", authenticator=admit_by_name))
    assert str(tmp_path).encode() not in reply.body
    assert b"admit_by_name" not in reply.body


@requirement("CCH-01", "CCH-02", "CCH-03", "CCH-04")
async def test_the_card_can_be_cached_and_asked_after(parrot):
    reply = await fetch(parrot)
    assert "max-age=" in reply.headers["cache-control"]
    for validator, value in (
        ("if_none_match", reply.headers["etag"]),
        ("if_none_match", "W/" + reply.headers["etag"]),
        ("if_modified_since", reply.headers["last-modified"]),
    ):
        again = await fetch(parrot, **{validator: value})
        assert (again.status, again.body) == (304, b"")
    assert (await fetch(parrot, if_none_match='"another"')).status == 200


@requirement("CCH-03")
async def test_another_card_has_another_etag(parrot):
    before = (await fetch(parrot)).headers["etag"]

    @parrot.skill
    async def juggle() -> str:
        """Juggle."""
        return "juggled"

    assert (await fetch(parrot)).headers["etag"] != before


PARROT_FOR_ALICE = AgentCard(
    name="Parrot for Alice",
    description="Says more",
    supported_interfaces=(),
    version="2",
    capabilities=AgentCapabilities(extended_agent_card=True),
    default_input_modes=("text/plain",),
    default_output_modes=("text/plain",),
    skills=(),
)


def richer(caller):
    """The card of Alice, who has more to see; Bob has none."""
    return PARROT_FOR_ALICE if caller.subject == "alice" else None


@requirement("CAP-04", "CAP-01")
async def test_an_extended_card_that_is_not_declared_is_not_an_operation(wire):
    assert (await wire.call("GetExtendedAgentCard")).error.reason == "UNSUPPORTED_OPERATION"


@requirement("EXT-02", "EXT-04", "EXT-06", "EXT-07", "EXT-10", "EXT-12", "CAP-05")
async def test_the_extended_card_is_for_callers_who_may_see_it(connect, binding):
    wire = await connect(Parrot(extended_card=richer, authenticator=admit_by_name))
    stranger = await wire.call("GetExtendedAgentCard")
    alice = await wire.call("GetExtendedAgentCard", authorization="Bearer alice")
    bob = await wire.call("GetExtendedAgentCard", authorization="Bearer bob")
    assert (stranger.status, stranger.error.reason) == (401, "UNAUTHENTICATED")
    assert alice.result["name"] == "Parrot for Alice"
    assert alice.result["supportedInterfaces"]
    if binding == "rest":  # nobody caches the answer to a POST
        assert alice.headers["cache-control"] == "no-store"
    assert bob.error.reason == "EXTENDED_AGENT_CARD_NOT_CONFIGURED"


@requirement("EXT-04", "EXT-12")
async def test_an_anonymous_caller_gets_no_extended_card_even_where_anybody_may_call(connect):
    async def admit_anybody(credentials):
        return Principal()

    wire = await connect(Parrot(extended_card=lambda caller: PARROT_FOR_ALICE, authenticator=admit_anybody))
    assert (await wire.send()).is_result
    answer = await wire.call("GetExtendedAgentCard")
    assert (answer.status, answer.error.reason) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("verb", ["POST", "DELETE", "PUT"])
async def test_the_card_can_only_be_read(parrot, verb):
    reply = await AsgiHttp(parrot).request(HttpRequest(verb, CARD_URL))
    assert reply.status == 405
