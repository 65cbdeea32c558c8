"""Signing the cards of one's own agents (SPEC 4.5, SIG-01 to SIG-12, SIG-18)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from msgspec.structs import replace

from dragoman.model import AgentCard, AgentCardSignature, Metadata
from dragoman.security.cards.canonical import make_payloads
from dragoman.security.cards.jose import (
    Algorithm,
    BadKeyError,
    KeySource,
    choose_algorithm,
    fits,
    get_public_jwk,
    load_private_key,
    make_private_key,
    sign,
)


class CardSigner:
    """Signs cards with one private key.

    `key` is PEM, or a JWK as text or as an object. `kid` is what verifiers find the public key by: that of the JWK, or else
    the thumbprint of the key (RFC 7638). `algorithm` is the usual one of the key. `jku` is the https URL of a key set that
    holds the public key; the agent serves one at `/.well-known/jwks.json`. `header` goes beside the signature, unprotected.

    ValueError if the key cannot be used, MissingExtraError without the extra `signing`.
    """

    def __init__(
        self,
        key: KeySource,
        *,
        kid: str = "",
        algorithm: Algorithm | str | None = None,
        jku: str = "",
        header: Metadata | None = None,
    ) -> None:
        self._key = load_private_key(key)
        members = self._key.as_dict(private=False)
        self.kid = kid or str(members.get("kid") or self._key.thumbprint())
        self.jku = jku
        self.algorithm = _choose(algorithm or members.get("alg")) or choose_algorithm(self._key)
        if not fits(self.algorithm, self._key):
            raise BadKeyError(f"this key cannot make signatures of {self.algorithm.value}")
        if jku and not jku.startswith("https://"):
            raise ValueError(f"verifiers fetch keys over https alone, and jku is {jku!r}")
        self._header = header

    @classmethod
    def load(cls, path: str | Path, **options: Any) -> Self:
        """A signer with the key of a file, PEM or JWK, such as `dragoman keys new` writes."""
        return cls(Path(path).read_bytes(), **options)

    @classmethod
    def generate(cls, algorithm: Algorithm | str = Algorithm.ES256, **options: Any) -> Self:
        """A signer with a new key, which is gone with it."""
        chosen = Algorithm(algorithm)
        key = make_private_key(chosen)
        return cls(key.as_dict(private=True), algorithm=chosen, **options)

    def __repr__(self) -> str:
        return f"CardSigner(kid={self.kid!r}, algorithm={self.algorithm.value!r})"

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public key, for a key set."""
        return {
            **get_public_jwk(self._key),
            "kid": self.kid,
            "alg": self.algorithm.value,
            "use": "sig",
        }

    @property
    def private_jwk(self) -> dict[str, Any]:
        """The private key. Keep it secret."""
        members = self._key.as_dict(private=True)
        return {**members, "kid": self.kid, "alg": self.algorithm.value, "use": "sig"}

    def sign(self, card: AgentCard) -> AgentCard:
        """The card with one more signature; two if it holds REQUIRED or optional members that are empty.

        The official SDK leaves those out of what it signs and checks, against the specification, so that a card with some needs a
        signature for either reading. ValueError if the card has no canonical form.
        """
        payloads = dict.fromkeys(make_payloads(card))
        return replace(card, signatures=(*card.signatures, *map(self._sign, payloads)))

    def _sign(self, payload: bytes) -> AgentCardSignature:
        header = {"alg": self.algorithm.value, "kid": self.kid, "typ": "JOSE"}
        if self.jku:
            header["jku"] = self.jku
        protected, signature = sign(payload, header, self._key, self.algorithm)
        return AgentCardSignature(protected=protected, signature=signature, header=self._header)


def build_key_set(signers: Iterable[CardSigner]) -> dict[str, Any]:
    """The public keys of signers as a JWKS (RFC 7517)."""
    return {"keys": [signer.public_jwk for signer in signers]}


def _choose(name: "Algorithm | str | object") -> Algorithm | None:
    if not name:
        return None
    try:
        return Algorithm(name)
    except ValueError:
        known = ", ".join(algorithm.value for algorithm in Algorithm)
        raise ValueError(f"a card is signed with one of {known}, and not with {name!r}") from None
