"""Where keys are fetched from, how often, and from where not."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from dragoman.model import Distrust, Timestamp, UntrustedCard
from dragoman.security import EgressPolicy
from dragoman.security.cards import CardSigner, CardVerifier, build_key_set
from dragoman.security.cards.key_sets import MAX_KEPT_SETS, MAX_KEY_SET_BYTES, AllowedUrls, check_key_url
from tests.unit.security.cards.key_server import serving_keys
from tests.unit.security.cards.samples import make_card

LOCAL = EgressPolicy.allowing(["127.0.0.0/8"])


class World:
    """A key server whose keys a test changes, a clock that it moves, and a verifier."""

    def __init__(self) -> None:
        self.signers = [CardSigner.generate(kid="one")]
        self.status = "200 OK\r\ncache-control: max-age=600"
        self.time = datetime(2027, 1, 1, tzinfo=UTC).timestamp()

    def answer(self, path: str) -> tuple[str, bytes]:
        return self.status, json.dumps(build_key_set(self.signers)).encode()

    def clock(self) -> Timestamp:
        return Timestamp.at(datetime.fromtimestamp(self.time, UTC))

    def sign(self, server, path="/keys/a.json", kid="one"):
        (key,) = [signer.private_jwk for signer in self.signers if signer.kid == kid]
        return CardSigner(key, jku=server.url + path).sign(make_card())

    def verifier(self, server, **options) -> CardVerifier:
        given = {"jku_allow": [server.url + "/keys"], "egress": LOCAL, "tls": server.tls, **options}
        return CardVerifier(clock=self.clock, **given)


@pytest.fixture
def world() -> World:
    return World()


async def distrust(by: CardVerifier, card) -> UntrustedCard:
    with pytest.raises(UntrustedCard) as caught:
        await by.verify(card)
    return caught.value


async def test_keys_come_from_where_the_signature_says_and_are_kept(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        by, card = world.verifier(server), world.sign(server)
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(by.verify(card))
        world.time += 599
        found = await by.verify(card)
        assert found is not None
        assert found.jku == server.url + "/keys/a.json"
        assert server.asked == ["/keys/a.json"]
        world.time += 1
        await by.verify(card)
        assert len(server.asked) == 2


async def test_a_key_that_was_not_there_is_asked_for_but_not_all_the_time(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        by = world.verifier(server)
        await by.verify(world.sign(server))
        world.signers.append(CardSigner.generate(kid="two"))
        new = world.sign(server, kid="two")
        assert (await distrust(by, new)).reason is Distrust.UNKNOWN_KEY
        assert len(server.asked) == 1
        world.time += 60
        assert await by.verify(new)


async def test_a_key_that_was_withdrawn_is_not_used_any_more(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        by, card = world.verifier(server), world.sign(server)
        await by.verify(card)
        world.signers.clear()
        world.time += 600
        error = await distrust(by, card)
    assert error.reason is Distrust.UNKNOWN_KEY
    assert "is not in the key set at" in str(error)


async def test_keys_that_cannot_be_fetched_again_serve_for_an_hour_more(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        by, card = world.verifier(server), world.sign(server)
        await by.verify(card)
        world.status = "503 Later"
        world.time += 600 + 3599
        await by.verify(card)
        world.time += 1
        assert (await distrust(by, card)).reason is Distrust.KEYS_UNAVAILABLE


async def test_keys_are_kept_a_minute_at_least_and_a_day_at_most(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        by, card = world.verifier(server), world.sign(server)
        world.status = "200 OK\r\ncache-control: no-store"
        await by.verify(card)
        world.time += 59
        await by.verify(card)
        assert len(server.asked) == 1
        world.time += 1
        world.status = "200 OK\r\ncache-control: max-age=99999999"
        await by.verify(card)
        assert len(server.asked) == 2
        world.time += 24 * 3600
        await by.verify(card)
        assert len(server.asked) == 3


async def test_a_place_that_is_not_allowed_is_not_asked(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        error = await distrust(world.verifier(server), world.sign(server, "/elsewhere.json"))
        assert (error.reason, server.asked) == (Distrust.UNKNOWN_KEY, [])
    assert "are not accepted" in str(error)


async def test_an_address_in_ones_own_network_is_not_dialled(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        error = await distrust(world.verifier(server, egress=None), world.sign(server))
        assert (error.reason, server.asked) == (Distrust.KEYS_UNAVAILABLE, [])
    assert "is not a public address" in str(error)


async def test_a_server_that_cannot_prove_its_name_is_not_believed(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        error = await distrust(world.verifier(server, tls=None), world.sign(server))
    assert error.reason is Distrust.KEYS_UNAVAILABLE
    assert "ertificate" in str(error)


async def test_a_key_set_of_ones_own_choice_may_lie_anywhere(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        by = CardVerifier(jwks=server.url + "/jwks.json", tls=server.tls)
        assert await by.verify(CardSigner(world.signers[0].private_jwk).sign(make_card()))
        assert server.asked == ["/jwks.json"]


@pytest.mark.parametrize(
    "status, body, words",
    [
        ("404 No", b"", "the answer is HTTP 404"),
        ("302 Found\r\nlocation: /keys/a.json", b"", "the answer is HTTP 302"),
        ("200 OK", b"<html>", "invalid JSON"),
        ("200 OK", b"[]", "a key set is an object"),
        ("200 OK", b'{"keys":7}', "a key set is an object"),
        ("200 OK", b'{"keys":[%s]}' % b",".join([b"{}"] * 101), "at most 100"),
        ("200 OK", b'{"keys":%s}' % (b"[" * 200 + b"]" * 200), "nested"),
        ("200 OK", b" " * (MAX_KEY_SET_BYTES + 1), "is larger than"),
        ("nonsense", b"", "cannot be read"),
    ],
)
async def test_what_is_no_key_set_is_told(world, tmp_path, status, body, words):
    async with serving_keys(tmp_path, lambda path: (status, body)) as server:
        error = await distrust(world.verifier(server), world.sign(server))
        assert error.reason is Distrust.KEYS_UNAVAILABLE
        assert words in str(error)
        assert server.asked == ["/keys/a.json"]


async def test_only_so_many_key_sets_are_kept(world, tmp_path):
    async with serving_keys(tmp_path, world.answer) as server:
        by = world.verifier(server)
        for number in range(MAX_KEPT_SETS + 5):
            by._open(f"{server.url}/keys/{number}")
        assert len(by._named) == MAX_KEPT_SETS
        assert f"{server.url}/keys/0" not in by._named


ALLOWED = AllowedUrls(["https://keys.example/a", "https://other.example:8443/", "https://one.example/k.json"])


@pytest.mark.parametrize(
    "url",
    [
        "https://keys.example/a",
        "https://keys.example/a/",
        "https://keys.example/a/b/c.json",
        "https://KEYS.example:443/a",
        "https://other.example:8443/x",
        "https://one.example/k.json",
    ],
)
def test_what_lies_below_an_allowed_url_is_allowed(url):
    assert url in ALLOWED


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://keys.example/a",
        "https://keys.example/",
        "https://keys.example/ab",
        "https://keys.example/b/a",
        "https://keys.example/a/../b",
        "https://keys.example/a/./b",
        "https://keys.example/a/%2e%2e/b",
        "https://keys.example/a\\..\\b",
        "https://keys.example/a/b?next=x",
        "https://keys.example/a#b",
        "https://keys.example/a/\tb",
        "https://keys.example.evil.example/a",
        "https://keys.example@evil.example/a",
        "https://evil.example#@keys.example/a",
        "https://other.example/x",
        "https://other.example:8444/x",
        "https://[/a",
        "https://keys.example:x/a",
        "//keys.example/a",
        "file:///a",
    ],
)
def test_what_only_looks_like_it_is_not(url):
    assert url not in ALLOWED


@pytest.mark.parametrize(
    "url", ["https://a.example/k", "http://127.0.0.1:8/k", "http://localhost/k", "http://[::1]/"]
)
def test_keys_of_ones_own_choice_come_over_https_or_from_this_machine(url):
    assert check_key_url(url) == url
