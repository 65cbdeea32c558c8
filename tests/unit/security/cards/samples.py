"""A card with everything that makes signatures go wrong, and signatures as an attacker would write them."""

import base64
import hmac
import json
from functools import cache
from typing import Any

from msgspec.structs import replace

from dragoman.model import (
    AgentCapabilities,
    AgentCard,
    AgentCardSignature,
    AgentExtension,
    AgentInterface,
    AgentProvider,
    AgentSkill,
    HTTPAuthSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
)
from dragoman.security.cards import Algorithm, CardSigner
from dragoman.security.cards.canonical import make_payloads

PARAMS: dict[str, Any] = {
    "zahl": 1.0,
    "ganz": 7,
    "klein": 1e-7,
    "groß": 2**53 + 1,
    "negativ": -0.5,
    "liste": [0, "", None, {}, {"é": '\u20ac\n"\\'}],
    "\U0001f600": True,
    "\ufb33": False,
}


def make_card(**changes) -> AgentCard:
    """Non-ASCII text, numbers of every kind, REQUIRED members that are empty and optional ones that are set to it."""
    card = AgentCard(
        name="Grüße 👩‍🚀",
        description="שלום, \u2028 e\u0301",
        supported_interfaces=(
            AgentInterface(url="https://agent.example/", protocol_binding="JSONRPC", protocol_version="1.0"),
        ),
        provider=AgentProvider(url="https://example.com", organization="Müller & Söhne"),
        version="1.0.0",
        documentation_url="",
        capabilities=AgentCapabilities(
            streaming=False,
            push_notifications=True,
            extensions=(AgentExtension(uri="https://x.example/ä", required=False, params=PARAMS),),
        ),
        security_schemes={
            "bearer": SecurityScheme(http_auth_security_scheme=HTTPAuthSecurityScheme(scheme="Bearer"))
        },
        security_requirements=(SecurityRequirement(schemes={"bearer": StringList()}),),
        default_input_modes=("text/plain",),
        default_output_modes=(),
        skills=(AgentSkill(id="a", name="Ä", description="d", tags=()),),
    )
    return replace(card, **changes)


def make_plain_card(**changes) -> AgentCard:
    """A card in which nothing is empty."""
    plain = replace(
        make_card(),
        documentation_url=None,
        default_output_modes=("text/plain",),
        skills=(AgentSkill(id="a", name="Ä", description="d", tags=("t",)),),
        security_requirements=(),
        capabilities=AgentCapabilities(streaming=True),
    )
    return replace(plain, **changes)


@cache
def make_signer(algorithm: Algorithm) -> CardSigner:
    """A signer for an algorithm. Those of RSA share a key, which takes half a second to make."""
    if algorithm.value[:2] not in ("RS", "PS"):
        return CardSigner.generate(algorithm, kid="k")
    if algorithm is Algorithm.RS256:
        from joserfc.jwk import RSAKey

        return CardSigner(RSAKey.generate_key(2048).as_pem(private=True), kid="k", algorithm=algorithm)
    shared = make_signer(Algorithm.RS256).private_jwk
    return CardSigner({**shared, "alg": algorithm.value}, kid="k")


def encode64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(card: AgentCard, header: dict, secret: bytes = b"") -> AgentCard:
    """The card with a signature that anybody can make: none at all, or an HMAC with a secret that is public."""
    protected = encode64(json.dumps(header).encode())
    signed = f"{protected}.{encode64(make_payloads(card).exact)}".encode()
    signature = encode64(hmac.digest(secret, signed, "sha256")) if secret else "AA"
    return replace(card, signatures=(AgentCardSignature(protected=protected, signature=signature),))
