"""A client that demands signed cards, and what becomes of them while it is open."""

import pytest
from msgspec.structs import replace

from dragoman.client import Client
from dragoman.client.http import AsgiHttp
from dragoman.model import AgentCapabilities, Distrust, NeverSent, UntrustedCard
from dragoman.security.cards import CardSigner, CardVerifier, build_key_set
from dragoman.wire.freshness import DEFAULT_LIFETIME_SECONDS
from tests.unit.client.scripted import FastWorld, ScriptedAgent, gives, interface, make_card, task
from tests.unit.client.test_session import Unplugged

SIGNER = CardSigner.generate(kid="one")


def trusting(*signers, **options) -> CardVerifier:
    return CardVerifier(jwks=build_key_set(signers or (SIGNER,)), **options)


async def test_a_signed_card_is_used():
    agent = ScriptedAgent(SIGNER.sign(make_card()), GetTask=gives(task()))
    async with Client(agent, verify=trusting()) as client:
        assert (await client.get_task("t1")).id == "t1"


@pytest.mark.parametrize(
    "card, reason",
    [
        (make_card(), Distrust.UNSIGNED),
        (replace(SIGNER.sign(make_card()), name="Mallory"), Distrust.TAMPERED),
        (CardSigner.generate(kid="two").sign(make_card()), Distrust.UNKNOWN_KEY),
    ],
)
async def test_nothing_is_asked_of_an_agent_whose_card_is_not_trusted(card, reason):
    agent = ScriptedAgent(card, GetTask=gives(task()))
    async with Client(agent, verify=trusting()) as client:
        for _ in range(2):
            with pytest.raises(UntrustedCard) as caught:
                await client.get_task("t1")
            assert caught.value.reason is reason
            assert caught.value.url.endswith("/.well-known/agent-card.json")
    assert {call.operation for call in agent.calls} == {"card"}


async def test_an_unsigned_card_is_used_where_none_is_demanded():
    agent = ScriptedAgent(GetTask=gives(task()))
    async with Client(agent, verify=trusting(required=False)) as client:
        await client.get_task("t1")


async def test_a_card_that_is_given_is_verified_too():
    agent = ScriptedAgent(GetTask=gives(task()))
    async with Client(agent.card, http=AsgiHttp(agent), verify=trusting()) as client:
        with pytest.raises(UntrustedCard, match="is not signed"):
            await client.get_task("t1")


async def test_a_card_that_changes_hands_is_noticed_when_it_is_asked_after():
    world = FastWorld()
    agent = ScriptedAgent(SIGNER.sign(make_card()), GetTask=gives(task()))
    async with Client(agent, verify=trusting(), world=world.world) as client:
        await client.get_task("t1")
        agent.card = make_card(name="Mallory")
        world.time += DEFAULT_LIFETIME_SECONDS
        with pytest.raises(UntrustedCard):
            await client.get_task("t1")
    assert len(agent.of("GetTask")) == 1


CAN_EXTEND = AgentCapabilities(extended_agent_card=True)


async def test_the_extended_card_is_verified_before_it_is_used():
    public = SIGNER.sign(make_card(capabilities=CAN_EXTEND))
    extended = make_card(name="Extended", capabilities=CAN_EXTEND)
    agent = ScriptedAgent(public, GetExtendedAgentCard=gives(extended, SIGNER.sign(extended)))
    async with Client(agent, verify=trusting()) as client:
        with pytest.raises(UntrustedCard):
            await client.extended_card()
        assert (await client.card()).name == public.name
        await client.extended_card()
        assert (await client.card()).name == "Extended"


async def test_the_extended_card_is_given_up_with_the_session():
    extended = make_card(name="Extended", capabilities=CAN_EXTEND)
    agent = ScriptedAgent(make_card(capabilities=CAN_EXTEND), GetExtendedAgentCard=gives(extended))
    client = Client(agent)
    async with client:
        await client.extended_card()
        assert (await client.card()).name == "Extended"
    async with client:
        assert (await client.card()).name == agent.card.name


async def test_another_interface_is_tried_only_where_that_is_allowed():
    card = make_card(
        supported_interfaces=(
            interface("JSONRPC", url="http://dead.example"),
            interface("HTTP+JSON", "/rest"),
        )
    )
    agent = ScriptedAgent(card, GetTask=gives(task()))
    for fallback in (True, False):
        http = Unplugged(agent, "http://dead.example")
        client = Client("http://agent.example", http=http, fallback=fallback, world=FastWorld().world)
        async with client:
            if fallback:
                assert (await client.get_task("t1")).id == "t1"
            else:
                with pytest.raises(NeverSent):
                    await client.get_task("t1")
