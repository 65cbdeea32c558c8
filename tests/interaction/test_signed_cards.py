"""Signed cards between our own agent and our own client, and what a liar in between achieves (SPEC 4.5)."""

import json

import pytest
from msgspec.structs import replace

from dragoman import AgentCard, Client
from dragoman.client.http import AsgiHttp, HttpRequest
from dragoman.model import AgentCapabilities, AgentCardSignature, Distrust, UntrustedCard
from dragoman.security import EgressPolicy
from dragoman.security.cards import CardSigner, CardVerifier, build_key_set
from dragoman.security.cards.jose import load_header, load_private_key
from dragoman.wire.codec import decode, encode
from tests.interaction.agents import Parrot, admit_by_name
from tests.interaction.requirements import requirement
from tests.interaction.wires import BASE
from tests.unit.security.cards.key_server import serving_keys
from tests.unit.security.cards.samples import forge

SIGNER = CardSigner.generate(kid="agent-2026", jku="https://keys.example/jwks.json")
CARD_URL = BASE + "/.well-known/agent-card.json"
KEYS_URL = BASE + "/.well-known/jwks.json"


def make_parrot(*signers, **options) -> Parrot:
    return Parrot(url=BASE, signer=signers or SIGNER, **options)


async def fetch(app, url=CARD_URL, **headers):
    return await AsgiHttp(app).request(HttpRequest("GET", url, headers))


async def load_signed(*signers) -> AgentCard:
    return decode(AgentCard, (await fetch(make_parrot(*signers))).body)


def serve(card: AgentCard):
    """A liar in between: the agent answers, but the card is another."""
    parrot = make_parrot()

    async def app(scope, receive, send):
        if scope["path"] != "/.well-known/agent-card.json":
            await parrot(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": encode(card)})

    return app


async def distrust(card: AgentCard, verifier: CardVerifier | None = None) -> UntrustedCard:
    trusted = verifier or CardVerifier(jwks=build_key_set([SIGNER]))
    async with Client(serve(card), verify=trusted) as client:
        with pytest.raises(UntrustedCard) as caught:
            await client.ask("hello")
    return caught.value


@requirement("SIG-01", "SIG-10", "SIG-11", "SIG-12", "SIG-13", "SIG-14", "SIG-16")
async def test_a_client_with_the_keys_of_the_agent_trusts_its_card():
    parrot = make_parrot()
    (signature,) = (await load_signed()).signatures
    assert load_header(signature.protected) == {
        "alg": "ES256",
        "kid": "agent-2026",
        "typ": "JOSE",
        "jku": "https://keys.example/jwks.json",
    }
    keys = json.loads((await fetch(parrot, KEYS_URL)).body)
    async with Client(parrot, verify=CardVerifier(jwks=keys, exact=True)) as client, parrot.running():
        assert await client.ask("hello") == "hello"


@requirement("SIG-06", "SIG-07", "SIG-09", "SIG-13")
async def test_a_card_that_was_changed_on_its_way_is_refused():
    card = await load_signed()
    moved = replace(card.supported_interfaces[0], url="https://evil.example/")
    for changed in (
        replace(card, supported_interfaces=(moved,)),
        replace(card, skills=card.skills[1:]),
        replace(card, capabilities=AgentCapabilities()),
    ):
        error = await distrust(changed)
        assert error.reason is Distrust.TAMPERED
        assert "is not what the key 'agent-2026' signed" in str(error)


@requirement("SIG-14")
async def test_a_card_without_the_signature_that_is_demanded_is_refused():
    error = await distrust(replace(await load_signed(), signatures=()))
    assert error.reason is Distrust.UNSIGNED
    assert "is not signed, and a signature is demanded" in str(error)


@requirement("SIG-13")
async def test_a_card_signed_with_an_unknown_key_is_refused():
    error = await distrust(await load_signed(CardSigner.generate(kid="mallory")))
    assert error.reason is Distrust.UNKNOWN_KEY
    assert "the key 'mallory' is not known" in str(error)


@requirement("SIG-13")
async def test_a_card_signed_with_nothing_is_refused():
    error = await distrust(forge(await load_signed(), {"alg": "none", "kid": "agent-2026"}))
    assert error.reason is Distrust.ALGORITHM_REFUSED
    assert "the algorithm 'none' signs nothing" in str(error)


@requirement("SIG-13")
async def test_a_card_signed_with_the_public_key_as_a_secret_is_refused():
    secret = load_private_key(SIGNER.private_jwk).as_pem(private=False)
    error = await distrust(forge(await load_signed(), {"alg": "HS256", "kid": "agent-2026"}, secret))
    assert error.reason is Distrust.ALGORITHM_REFUSED
    assert "'HS256' needs a shared secret, and a public key is none" in str(error)


@requirement("SIG-17")
@pytest.mark.parametrize("members", [{"exp": 1}, {"revoked": {"revoked_at": 1}}, {"use": "enc"}])
async def test_a_key_that_has_expired_or_was_revoked_is_not_used(members):
    verifier = CardVerifier(jwks={"keys": [{**SIGNER.public_jwk, **members}]})
    assert (await distrust(await load_signed(), verifier)).reason is Distrust.UNUSABLE_KEY


@requirement("SIG-18", "SIG-14")
async def test_while_keys_change_either_of_them_is_enough():
    old, new = CardSigner.generate(kid="old"), CardSigner.generate("EdDSA", kid="new")
    card = await load_signed(old, new)
    for known in (old, new):
        async with Client(serve(card), verify=CardVerifier(jwks=build_key_set([known]))) as client:
            assert len((await client.card()).signatures) == 2


@requirement("SIG-12", "SIG-15", "SIG-16")
async def test_keys_are_fetched_over_https_from_allowed_places_and_kept(tmp_path):
    body = json.dumps(build_key_set([SIGNER])).encode()
    async with serving_keys(tmp_path, lambda path: ("200 OK", body)) as server:
        signer = CardSigner(SIGNER.private_jwk, jku=server.url + "/jwks.json")
        card = await load_signed(signer)
        local = EgressPolicy.allowing(["127.0.0.1"])
        trusting = CardVerifier(jku_allow=[server.url], egress=local, tls=server.tls)
        for _ in range(2):
            async with Client(serve(card), verify=trusting) as client:
                await client.card()
        assert server.asked == ["/jwks.json"]
        elsewhere = CardVerifier(jku_allow=["https://keys.example"], egress=local, tls=server.tls)
        assert (await distrust(card, elsewhere)).reason is Distrust.UNKNOWN_KEY
        guarded = CardVerifier(jku_allow=[server.url], tls=server.tls)
        assert (await distrust(card, guarded)).reason is Distrust.KEYS_UNAVAILABLE
        assert server.asked == ["/jwks.json"]


@requirement("SIG-03", "SIG-05")
async def test_a_signature_over_the_card_as_it_prints_itself_is_good_to_the_letter():
    """Optional members that are set to their default are signed, and not lost on the way."""
    card = await load_signed()
    assert card.capabilities.extended_agent_card is False
    unset = replace(card.capabilities, extended_agent_card=None)
    assert (await distrust(replace(card, capabilities=unset))).reason is Distrust.TAMPERED


@requirement("SIG-01", "SIG-14")
async def test_the_extended_card_is_signed_for_each_caller(connect):
    def extend(caller):
        return AgentCard(
            name=f"Parrot for {caller.subject}",
            description="Says more",
            supported_interfaces=(),
            version="2",
            capabilities=AgentCapabilities(extended_agent_card=True),
            default_input_modes=("text/plain",),
            default_output_modes=("text/plain",),
            skills=(),
        )

    parrot = make_parrot(extended_card=extend, authenticator=admit_by_name)
    wire = await connect(parrot)
    verifier = CardVerifier(jwks=build_key_set([SIGNER]), exact=True)
    for name in ("alice", "bob"):
        answer = await wire.call("GetExtendedAgentCard", authorization=f"Bearer {name}")
        card = decode(AgentCard, json.dumps(answer.result).encode())
        assert card.name == f"Parrot for {name}"
        assert await verifier.verify(card)


@requirement("SIG-13")
async def test_rubbish_in_place_of_a_signature_is_refused():
    rubbish = AgentCardSignature(protected="!", signature="?")
    error = await distrust(replace(await load_signed(), signatures=(rubbish,)))
    assert error.reason is Distrust.MALFORMED


async def test_an_agent_that_does_not_know_its_address_does_not_sign_one():
    from dragoman.agent.errors import AuthoringError

    with pytest.raises(AuthoringError, match="give url="):
        _ = Parrot(signer=SIGNER).app


@requirement("CCH-05", "CCH-06", "CCH-03")
async def test_a_signed_card_is_asked_after_and_not_sent_again():
    first = await fetch(make_parrot())
    again = await fetch(make_parrot(), **{"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
