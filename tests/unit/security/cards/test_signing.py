"""Signing cards and checking who wrote them."""

import json
import math
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from dragoman.model import AgentCardSignature, Distrust, Timestamp, UntrustedCard
from dragoman.security.cards import Algorithm, CardSigner, CardVerifier, SignedBy, build_key_set
from dragoman.security.cards.jose import BadKeyError, load_header, load_private_key
from tests.unit.security.cards.samples import encode64, forge, make_card, make_plain_card, make_signer

SIGNER = CardSigner.generate(kid="one")
OTHER = CardSigner.generate(kid="two")
NOW = Timestamp.at(datetime(2027, 1, 15, tzinfo=UTC))


def verifier(*signers, **options) -> CardVerifier:
    return CardVerifier(jwks=build_key_set(signers or (SIGNER,)), **options)


async def distrust(card, by=None) -> UntrustedCard:
    with pytest.raises(UntrustedCard) as caught:
        await (by or verifier()).verify(card, url="https://agent.example/card")
    return caught.value


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_a_signature_is_good_in_every_algorithm(algorithm):
    signer = make_signer(algorithm)
    signed = signer.sign(make_card())
    assert await verifier(signer).verify(signed) == SignedBy(kid=signer.kid, algorithm=algorithm)


async def test_the_header_says_what_verifiers_need():
    signer = CardSigner.generate(kid="k", jku="https://keys.example/a.json", header={"note": "é"})
    (signature,) = signer.sign(make_plain_card()).signatures
    assert load_header(signature.protected) == {
        "alg": "ES256",
        "kid": "k",
        "typ": "JOSE",
        "jku": "https://keys.example/a.json",
    }
    assert signature.header == {"note": "é"}


def test_a_card_with_empty_members_is_signed_for_both_readings():
    assert len(SIGNER.sign(make_card()).signatures) == 2
    assert len(SIGNER.sign(make_plain_card()).signatures) == 1


async def test_the_reading_of_the_official_sdk_can_be_refused():
    stripped = replace(make_card(), signatures=SIGNER.sign(make_card()).signatures[1:])
    found = await verifier().verify(stripped)
    assert found is not None
    assert not found.is_exact
    assert (await distrust(stripped, verifier(exact=True))).reason is Distrust.TAMPERED
    assert await verifier(exact=True).verify(SIGNER.sign(make_card()))


async def test_the_first_good_signature_is_enough():
    signed = OTHER.sign(SIGNER.sign(make_plain_card()))
    for known in (SIGNER, OTHER):
        found = await verifier(known).verify(signed)
        assert found is not None
        assert found.kid == known.kid


@pytest.mark.parametrize(
    "changes",
    [{"name": "Mallory"}, {"documentation_url": None}, {"version": "1.0.1"}, {"default_input_modes": ()}],
)
async def test_a_card_that_was_changed_is_told(changes):
    error = await distrust(replace(SIGNER.sign(make_card()), **changes), verifier(exact=True))
    assert error.reason is Distrust.TAMPERED
    assert "'one'" in str(error)
    assert error.url == "https://agent.example/card"


async def test_a_card_without_a_signature_is_refused_only_where_one_is_demanded():
    assert (await distrust(make_card())).reason is Distrust.UNSIGNED
    assert await verifier(required=False).verify(make_card()) is None


async def test_a_bad_signature_is_refused_even_where_none_is_demanded():
    card = replace(SIGNER.sign(make_card()), name="Mallory")
    assert (await distrust(card, verifier(required=False))).reason is Distrust.TAMPERED


async def test_an_unknown_key_is_told():
    error = await distrust(OTHER.sign(make_card()))
    assert error.reason is Distrust.UNKNOWN_KEY
    assert "the key 'two' is not known" in str(error)


async def test_a_known_id_on_another_key_is_no_proof():
    impostor = CardSigner.generate(kid="one")
    assert (await distrust(impostor.sign(make_card()))).reason is Distrust.TAMPERED


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
async def test_no_algorithm_is_no_signature(name):
    error = await distrust(forge(make_card(), {"alg": name, "kid": "one"}))
    assert error.reason is Distrust.ALGORITHM_REFUSED
    assert "'none' signs nothing" in str(error)


@pytest.mark.parametrize("form", ["pem", "jwk"])
async def test_a_public_key_is_no_shared_secret(form):
    key = load_private_key(SIGNER.private_jwk)
    secret = key.as_pem(private=False) if form == "pem" else json.dumps(SIGNER.public_jwk).encode()
    error = await distrust(forge(make_card(), {"alg": "HS256", "kid": "one"}, secret))
    assert error.reason is Distrust.ALGORITHM_REFUSED
    assert "'HS256' needs a shared secret" in str(error)


async def test_a_shared_secret_in_a_key_set_is_not_a_key():
    oct_key = {"kty": "oct", "k": encode64(b"x" * 32), "kid": "one"}
    by = CardVerifier(jwks={"keys": [oct_key]})
    assert (await distrust(SIGNER.sign(make_card()), by)).reason is Distrust.UNKNOWN_KEY


async def test_algorithms_can_be_narrowed():
    error = await distrust(SIGNER.sign(make_card()), verifier(algorithms=["EdDSA"]))
    assert error.reason is Distrust.ALGORITHM_REFUSED


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ES256"},
        {"alg": "ES256", "kid": ""},
        {"alg": "ES256", "kid": 7},
        {"alg": "ES256", "kid": "one", "jku": ["x"]},
        {"alg": "ES256", "kid": "one", "crit": ["b64"], "b64": False},
    ],
)
async def test_a_header_without_what_it_needs_is_malformed(header):
    assert (await distrust(forge(make_card(), header))).reason is Distrust.MALFORMED


@pytest.mark.parametrize(
    "protected",
    ["!!!", "e30=", encode64(b"[]"), encode64(b"\xff"), encode64(b"{"), "A" * 10_000, encode64(b"[" * 5000)],
)
async def test_what_is_no_header_is_malformed(protected):
    signature = AgentCardSignature(protected=protected, signature="AA")
    assert (await distrust(make_card(signatures=(signature,)))).reason is Distrust.MALFORMED


@pytest.mark.parametrize("text", ["!!!", "AA", "A" * 2000, "A" * 3000, "é"])
async def test_a_signature_that_is_none_is_refused(text):
    (good,) = SIGNER.sign(make_plain_card()).signatures
    card = make_plain_card(signatures=(replace(good, signature=text),))
    assert (await distrust(card)).reason in (Distrust.TAMPERED, Distrust.MALFORMED)


async def test_only_so_many_signatures_are_looked_at():
    good = SIGNER.sign(make_plain_card())
    (noise,) = OTHER.sign(make_plain_card()).signatures
    card = replace(good, signatures=(noise,) * 16 + good.signatures)
    assert (await distrust(card)).reason is Distrust.UNKNOWN_KEY


@pytest.mark.parametrize(
    "members",
    [
        {"exp": NOW.millis / 1000 - 61},
        {"nbf": NOW.millis / 1000 + 61},
        {"exp": "soon"},
        {"exp": math.nan},
        {"revoked": {"revoked_at": 1}},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"alg": "ES384"},
    ],
)
async def test_a_key_that_is_not_in_force_or_not_for_this_is_not_used(members):
    by = CardVerifier(jwks={"keys": [{**SIGNER.public_jwk, **members}]}, clock=lambda: NOW)
    assert (await distrust(SIGNER.sign(make_card()), by)).reason is Distrust.UNUSABLE_KEY


@pytest.mark.parametrize("members", [{"exp": NOW.millis / 1000 - 59}, {"nbf": NOW.millis // 1000 + 59}])
async def test_clocks_may_differ_a_little(members):
    by = CardVerifier(jwks={"keys": [{**SIGNER.public_jwk, **members}]}, clock=lambda: NOW)
    assert await by.verify(SIGNER.sign(make_card()))


@pytest.mark.parametrize("broken", [{"x": "AA"}, {"crv": "P-384"}, {"x": 7}, {"kty": "RSA"}])
async def test_a_key_that_is_broken_proves_nothing(broken):
    by = CardVerifier(jwks={"keys": [{**SIGNER.public_jwk, **broken}]})
    assert (await distrust(SIGNER.sign(make_card()), by)).reason is Distrust.TAMPERED


async def test_a_broken_key_beside_a_good_one_does_no_harm():
    by = CardVerifier(jwks={"keys": [{**SIGNER.public_jwk, "x": "AA"}, 7, SIGNER.public_jwk]})
    assert await by.verify(SIGNER.sign(make_card()))


async def test_the_reason_is_that_of_the_signature_that_came_closest():
    tampered = replace(SIGNER.sign(make_plain_card()), name="Mallory")
    (unknown,) = OTHER.sign(make_plain_card()).signatures
    card = replace(tampered, signatures=(unknown, *tampered.signatures))
    error = await distrust(card)
    assert error.reason is Distrust.TAMPERED
    assert "'two' is not known" in str(error)


async def test_keys_that_say_ed25519_by_either_name_check_both():
    signer = CardSigner.generate("EdDSA", kid="e")
    by = CardVerifier(jwks={**signer.public_jwk, "alg": "Ed25519"})
    assert await by.verify(signer.sign(make_card()))


@pytest.mark.parametrize("algorithm", [Algorithm.ES256, Algorithm.EDDSA, Algorithm.PS256])
async def test_a_key_comes_from_pem_or_a_jwk(algorithm, tmp_path):
    made = make_signer(algorithm)
    pem = load_private_key(made.private_jwk).as_pem(private=True)
    file = tmp_path / "key.json"
    file.write_text(json.dumps(made.private_jwk))
    for signer in (
        CardSigner(pem, kid="k"),
        CardSigner(pem.decode(), kid="k"),
        CardSigner(made.private_jwk),
        CardSigner.load(file),
    ):
        assert signer.public_jwk == made.public_jwk
        assert await verifier(made).verify(signer.sign(make_card()))


def test_the_public_key_holds_nothing_of_the_private_one():
    for algorithm in (Algorithm.ES256, Algorithm.EDDSA, Algorithm.RS256):
        public = make_signer(algorithm).public_jwk
        assert not set(public) & {"d", "p", "q", "dp", "dq", "qi", "k"}


def test_a_key_without_an_id_is_known_by_its_thumbprint():
    pem = load_private_key(SIGNER.private_jwk).as_pem(private=True)
    assert CardSigner(pem).kid == CardSigner(pem).kid
    assert len(CardSigner(pem).kid) == 43


def test_a_signer_does_not_show_its_key():
    assert repr(SIGNER) == "CardSigner(kid='one', algorithm='ES256')"


@pytest.mark.parametrize(
    "key, words",
    [
        ("", "no key"),
        ("-----BEGIN PRIVATE KEY-----", "no key"),
        ("{", "begins like a JWK"),
        ("[]", "no key"),
        ({"kty": "oct", "k": "AAAA"}, "have no public half"),
        ({"kty": "EC"}, "no key"),
        (SIGNER.public_jwk, "needs the private key"),
    ],
)
def test_what_is_no_private_key_is_told(key, words):
    with pytest.raises(BadKeyError, match=words):
        CardSigner(key)


@pytest.mark.parametrize("algorithm", ["HS256", "none", "ES384", "RS256", "ES256K"])
def test_an_algorithm_that_does_not_fit_is_refused(algorithm):
    with pytest.raises(ValueError, match=r"one of ES256|cannot make signatures"):
        CardSigner(SIGNER.private_jwk, algorithm=algorithm)


def test_a_weak_key_is_refused():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(65537, 1024).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(BadKeyError, match="2048 bits"):
        CardSigner(pem)


def test_a_key_of_another_curve_is_refused():
    from joserfc.jwk import ECKey, OKPKey

    for key in (ECKey.generate_key("secp256k1"), OKPKey.generate_key("X25519")):
        with pytest.raises(BadKeyError, match="sign no cards"):
            CardSigner(key.as_dict(private=True))
        with pytest.raises(BadKeyError, match="cannot make signatures"):
            CardSigner(key.as_dict(private=True), algorithm="EdDSA")


@pytest.mark.parametrize(
    "options, words",
    [
        ({}, "needs keys"),
        ({"jku_allow": []}, "needs keys"),
        ({"jku_allow": "https://keys.example"}, "is a list"),
        ({"jku_allow": ["http://keys.example"]}, "takes https URLs"),
        ({"jwks": "http://keys.example/jwks.json"}, "over https"),
        ({"jwks": []}, "a key set is an object"),
        ({"jwks": {"keys": [{}] * 101}}, "at most 100"),
        ({"jwks": {"keys": []}, "algorithms": ["HS256"]}, "HS256"),
    ],
)
def test_a_verifier_that_cannot_work_is_not_made(options, words):
    with pytest.raises(ValueError, match=words):
        CardVerifier(**options)
