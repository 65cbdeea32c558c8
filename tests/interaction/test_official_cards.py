"""Signatures between us and the official SDK, in both directions, over cards as they are served."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from dragoman import Client
from dragoman.model import AgentCapabilities, AgentCard, AgentExtension, Distrust, UntrustedCard
from dragoman.security.cards import Algorithm, CardSigner, CardVerifier, build_key_set
from dragoman.wire.codec import decode, encode
from tests.interaction.agents import Parrot
from tests.interaction.peer_process import needs_peer, run_peer
from tests.interaction.requirements import requirement
from tests.interaction.sockets import listen, serving
from tests.unit.security.cards.samples import PARAMS, make_card, make_plain_card, make_signer

pytestmark = [pytest.mark.slow, needs_peer]

KINDS = [Algorithm.ES256, Algorithm.ES384, Algorithm.EDDSA, Algorithm.RS256, Algorithm.PS256]


def sample(**changes) -> AgentCard:
    """Everything that is hard, but no integer above 2^53 - 1, which the SDK cannot sign: protobuf makes a double of it."""
    params = {**PARAMS, "groß": 2**53 - 1}
    extension = AgentExtension(uri="https://x.example/ä", params=params)
    capabilities = AgentCapabilities(streaming=False, push_notifications=True, extensions=(extension,))
    return make_card(capabilities=capabilities, **changes)


CARDS = {"everything": sample(), "plain": make_plain_card()}


async def ask_peer(verb, work):
    return json.loads(await run_peer("tests.peer.official_cards", verb, told=json.dumps(work)))


@requirement("SIG-02", "SIG-03", "SIG-04", "SIG-05", "SIG-07", "SIG-08", "SIG-09", "SIG-10", "SIG-18")
async def test_the_official_sdk_finds_our_signatures_good():
    work: list[dict[str, Any]] = []
    expected: list[str] = []
    for kind in KINDS:
        for card in CARDS.values():
            signed = encode(make_signer(kind).sign(card)).decode()
            keys = [make_signer(kind).public_jwk]
            changed = signed.replace("Grüße", "Gruesse")
            work += [{"card": signed, "keys": keys}, {"card": changed, "keys": keys}]
            expected += [f"good: {card.name}", "InvalidSignaturesError: No valid signature found"]
    assert await ask_peer("verify", work) == expected


@requirement("SIG-03", "SIG-04", "SIG-05", "SIG-07", "SIG-08", "SIG-09", "SIG-13")
async def test_we_find_the_signatures_of_the_official_sdk_good():
    work = [
        {"card": json.loads(encode(card)), "keys": [make_signer(kind).private_jwk]}
        for kind in KINDS
        for card in CARDS.values()
    ]
    served = await ask_peer("sign", work)
    for told, body in zip(work, served, strict=True):
        kid, algorithm = told["keys"][0]["kid"], Algorithm(told["keys"][0]["alg"])
        verifier = CardVerifier(jwks=build_key_set([make_signer(algorithm)]))
        card = decode(AgentCard, body.encode())
        found = await verifier.verify(card)
        assert found is not None
        assert (found.kid, found.algorithm) == (kid, algorithm)
        with pytest.raises(UntrustedCard) as caught:
            await verifier.verify(replace(card, version="6.6.6"))
        assert caught.value.reason is Distrust.TAMPERED


@requirement("SIG-01", "SIG-14", "SIG-18")
async def test_the_official_client_trusts_the_card_that_our_agent_serves():
    signers = [CardSigner.generate(kid="old"), CardSigner.generate("EdDSA", kid="new")]
    listener = listen()
    parrot = Parrot(url=f"http://127.0.0.1:{listener.getsockname()[1]}", signer=signers)
    async with serving(parrot, listener) as url:
        work = [{"url": url, "keys": [signer.public_jwk]} for signer in signers]
        work.append({"url": url, "keys": [CardSigner.generate(kid="old").public_jwk]})
        good, also, bad = await ask_peer("verify", work)
        assert good.startswith("good: ")
        assert also == good
        assert bad.startswith("InvalidSignaturesError")
        async with Client(url, verify=CardVerifier(jwks=url + "/.well-known/jwks.json")) as client:
            assert len((await client.card()).signatures) == 2
