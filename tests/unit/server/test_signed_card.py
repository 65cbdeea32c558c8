"""Signed cards, the keys beside them, and the document for readers of every generation."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from dragoman.model import AgentCard, AgentInterface
from dragoman.security.cards import CardSigner, CardVerifier
from dragoman.server import Service
from dragoman.server.addresses import Addresses
from dragoman.server.card import CardPage
from dragoman.server.issuing import MAX_KEPT_CARDS, CardIssuer
from dragoman.wire import codec
from dragoman.wire.codec import decode
from tests.unit.server.asgi import ask
from tests.unit.server.fakes import FakeEngine, make_card

PATH = "/.well-known/agent-card.json"
KEYS = "/.well-known/jwks.json"
URL = "https://agent.example"


def serve(*signers, **options) -> Service:
    return Service(FakeEngine(), card=make_card, public_url=URL, signers=signers, **options)


async def test_the_card_is_signed_by_every_signer_and_the_keys_are_served():
    app = serve(CardSigner.generate(kid="a"), CardSigner.generate("EdDSA", kid="b"))
    served = await ask(app, "GET", KEYS)
    assert served.headers["content-type"] == "application/jwk-set+json"
    assert "max-age=60" in served.headers["cache-control"]
    card = decode(AgentCard, (await ask(app, "GET", PATH)).body)
    for key in served.json()["keys"]:
        assert "d" not in key
        found = await CardVerifier(jwks=key, exact=True).verify(card)
        assert found is not None
        assert found.kid == key["kid"]


async def test_the_keys_can_be_cached():
    app = serve(CardSigner.generate())
    etag = (await ask(app, "GET", KEYS)).headers["etag"]
    assert (await ask(app, "GET", KEYS, headers={"if-none-match": etag})).status == 304
    assert (await ask(app, "GET", KEYS, headers={"if-none-match": '"other"'})).status == 200


async def test_an_agent_that_signs_nothing_has_no_keys(app):
    assert (await ask(app, "GET", KEYS)).status == 404


async def test_a_card_is_signed_once():
    app = serve(CardSigner.generate())
    assert (await ask(app, "GET", PATH)).body == (await ask(app, "GET", PATH)).body


async def test_processes_with_the_same_key_agree_on_the_etag():
    signer = CardSigner.generate(kid="a")
    one, two = [(await ask(serve(signer), "GET", PATH)) for _ in range(2)]
    assert one.body != two.body
    assert one.headers["etag"] == two.headers["etag"]
    assert one.headers["etag"].startswith('W/"')
    known = {"a2a-version": "1.0", "if-none-match": one.headers["etag"]}
    again = await ask(serve(signer), "GET", PATH, headers=known)
    assert again.status == 304
    assert (await ask(serve(CardSigner.generate()), "GET", PATH)).headers["etag"] != one.headers["etag"]


def test_the_address_that_a_request_names_is_not_signed():
    with pytest.raises(ValueError, match="must not be signed"):
        Service(FakeEngine(), card=make_card, signers=[CardSigner.generate()])


async def test_signed_cards_are_kept_but_not_all():
    issuer = CardIssuer(Addresses(public_url=URL, trusted_proxies=()), [CardSigner.generate()])
    for number in range(MAX_KEPT_CARDS + 5):
        issuer.issue(replace(make_card(), version=str(number)), {"type": "http", "headers": []})
    assert len(issuer._kept) == MAX_KEPT_CARDS


def merge(card):
    """What the dialects make of a card, in short."""
    return {**json.loads(codec.encode(card)), "url": "http://old"}


def ask_page(version="", query=b"", **more) -> Any:
    headers = {b"a2a-version": version.encode()} if version else {}
    headers |= {name.replace("_", "-").encode(): value.encode() for name, value in more.items()}
    addresses = Addresses(public_url=URL, trusted_proxies=())
    page = CardPage(source=make_card, issuer=CardIssuer(addresses, [SIGNER]), max_age=60, merge=merge)
    scope = {"type": "http", "headers": list(headers.items()), "query_string": query}
    return page.answer(scope, headers)


SIGNER = CardSigner.generate(kid="a")


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.0.2"])
def test_who_asks_for_1_gets_the_pure_card(version):
    assert "url" not in json.loads(ask_page(version).body)
    assert "url" not in json.loads(ask_page(query=b"A2A-Version=1.0").body)


@pytest.mark.parametrize("version", ["", "0.3", "10.0", "x"])
async def test_everybody_else_gets_the_merged_one_with_signatures_over_the_pure_one(version):
    reply = ask_page(version)
    assert json.loads(reply.body)["url"] == "http://old"
    by = CardVerifier(jwks=SIGNER.public_jwk, exact=True)
    assert await by.verify(decode(AgentCard, reply.body))


def test_caches_keep_the_two_apart():
    merged, pure = (dict(ask_page(version).headers) for version in ("", "1.0"))
    assert merged[b"vary"] == pure[b"vary"] == b"A2A-Version"
    assert merged[b"etag"] != pure[b"etag"]
    assert ask_page("1.0", if_none_match=pure[b"etag"].decode()).status == 304
    assert ask_page("", if_none_match=pure[b"etag"].decode()).status == 200


def make_old_card(_=None):
    """A card with an interface of 0.3, too."""
    entries = [
        AgentInterface(url=URL + "/", protocol_binding="JSONRPC", protocol_version=version)
        for version in ("1.0", "0.3")
    ]
    return replace(make_card(), supported_interfaces=tuple(entries))


async def test_readers_of_old_generations_find_the_card_where_they_look():
    app = Service(FakeEngine(), card=make_old_card, public_url=URL, signers=[SIGNER])
    for path in (PATH, "/.well-known/agent.json"):
        merged = (await ask(app, "GET", path, headers={})).json()
        assert (merged["url"], merged["protocolVersion"]) == (URL + "/", "0.3.0")
        pure = await ask(app, "GET", path, headers={"a2a-version": "1.0"})
        assert "url" not in pure.json()
        by = CardVerifier(jwks=SIGNER.public_jwk, exact=True)
        for body in (json.dumps(merged).encode(), pure.body):
            assert await by.verify(decode(AgentCard, body))
