"""Checking who wrote a card (SPEC 4.5, SIG-03 to SIG-09, SIG-13 to SIG-17)."""

import asyncio
import ssl
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from msgspec import Struct

from dragoman.model import AgentCard, AgentCardSignature, Clock, Distrust, UntrustedCard, utc_now
from dragoman.security.cards.canonical import NotCanonicalError, Payloads, make_payloads
from dragoman.security.cards.jose import (
    MAX_SIGNATURE_CHARS,
    Algorithm,
    BadKeyError,
    fits,
    is_signed,
    load_header,
    load_public_key,
)
from dragoman.security.cards.key_sets import (
    MAX_KEPT_SETS,
    AllowedUrls,
    GivenKeys,
    KeySet,
    KeySetFetcher,
    KeyStore,
    RemoteKeys,
    check_key_url,
)
from dragoman.security.egress import EgressPolicy

MAX_SIGNATURES = 16
"""How many signatures of a card are looked at."""

VERIFY_SECONDS = 30.0
"""How long all key sets of one card may take."""

ANYWHERE = EgressPolicy.allowing(["0.0.0.0/0", "::/0"])


class SignedBy(Struct, frozen=True, kw_only=True):
    """Whose signature was found good. `is_exact` is False for one over the reading of the official SDK, see `CardVerifier`."""

    kid: str
    algorithm: Algorithm
    jku: str = ""
    is_exact: bool = True


class _Claim(NamedTuple):
    """What a signature says about itself."""

    algorithm: Algorithm
    kid: str
    jku: str


class CardVerifier:
    """Decides whether a card comes from somebody who is trusted to write it.

    `jwks` are the keys: a JWKS or JWK as an object, or the URL of a key set. `jku_allow` are https URLs; a signature that
    names a key set at or below one of them is checked with it. `required`: a card without a signature is refused. One that has
    signatures must have a good one in any case. `algorithms` may narrow what is accepted.

    `exact` refuses what the official SDK signs if a card has empty members: it leaves them out, so that whoever hands the card on could
    add or remove empty strings, lists and objects, such as a security requirement without scopes.

    Key sets that a signature names are fetched from public addresses, unless `egress` allows more; `tls` is for private authorities.
    """

    def __init__(
        self,
        *,
        jwks: Mapping[str, Any] | str | None = None,
        jku_allow: Iterable[str] = (),
        required: bool = True,
        algorithms: Collection[Algorithm | str] = tuple(Algorithm),
        exact: bool = False,
        egress: EgressPolicy | None = None,
        tls: ssl.SSLContext | None = None,
        clock_skew: timedelta = timedelta(minutes=1),
        clock: Clock = utc_now,
    ) -> None:
        self.required = required
        self._exact = exact
        self._algorithms = {Algorithm(name) for name in algorithms}
        self._skew = clock_skew.total_seconds()
        self._clock = clock
        self._allowed = AllowedUrls(jku_allow)
        self._fetcher = KeySetFetcher(egress or EgressPolicy(), tls)
        self._named: dict[str, RemoteKeys] = {}
        self._own: KeyStore | None = None
        if isinstance(jwks, str):  # the caller chose the address, so it may lie in the caller's own network
            self._own = RemoteKeys(check_key_url(jwks), KeySetFetcher(ANYWHERE, tls), clock)
        elif jwks is not None:
            self._own = GivenKeys(jwks)
        if self._own is None and not self._allowed:
            raise ValueError(
                "a verifier needs keys: give jwks, or jku_allow with the places to fetch them from"
            )

    async def verify(self, card: AgentCard, *, url: str = "") -> SignedBy | None:
        """Whose the card is; None if it is unsigned and need not be signed.

        Raises UntrustedCard, with the reason of the signature that came closest. `url` is where the card came from.
        """
        if not card.signatures:
            if not self.required:
                return None
            raise UntrustedCard(
                "the card is not signed, and a signature is demanded", reason=Distrust.UNSIGNED, url=url
            )
        try:
            payloads = make_payloads(card)
        except NotCanonicalError as error:
            raise UntrustedCard(str(error), reason=Distrust.MALFORMED, url=url) from None
        try:
            async with asyncio.timeout(VERIFY_SECONDS):
                return await self._find_good(card.signatures[:MAX_SIGNATURES], payloads, url)
        except TimeoutError:
            problem = f"the keys of the card could not be had within {VERIFY_SECONDS:g} seconds"
            raise UntrustedCard(problem, reason=Distrust.KEYS_UNAVAILABLE, url=url) from None

    async def _find_good(
        self, signatures: Iterable[AgentCardSignature], payloads: Payloads, url: str
    ) -> SignedBy:
        refusals: list[UntrustedCard] = []
        for signature in signatures:
            try:
                return await self._check(signature, payloads)
            except UntrustedCard as refusal:
                refusals.append(refusal)
        raise _sum_up(refusals, url)

    async def _check(self, signature: AgentCardSignature, payloads: Payloads) -> SignedBy:
        claim = self._read_claim(signature)
        keys = await self._find_keys(claim)
        usable = [key for key in keys if self._is_usable(key, claim.algorithm)]
        if not usable:
            problem = f"the key {claim.kid!r} has expired, was revoked, or is not meant for {claim.algorithm.value} signatures"
            raise UntrustedCard(problem, reason=Distrust.UNUSABLE_KEY)
        for payload in dict.fromkeys(payloads[:1] if self._exact else payloads):
            if any(_is_made_by(key, signature, payload, claim.algorithm) for key in usable):
                is_exact = payload == payloads.exact
                return SignedBy(kid=claim.kid, algorithm=claim.algorithm, jku=claim.jku, is_exact=is_exact)
        problem = f"the card is not what the key {claim.kid!r} signed: it was changed, or the signature is of another card"
        raise UntrustedCard(problem, reason=Distrust.TAMPERED)

    def _read_claim(self, signature: AgentCardSignature) -> _Claim:
        """What the protected header says, which is believed no further than that it is allowed (SIG-10)."""
        try:
            header = load_header(signature.protected)
        except ValueError as error:
            raise UntrustedCard(f"a signature cannot be read: {error}", reason=Distrust.MALFORMED) from None
        kid, jku = header.get("kid"), header.get("jku", "")
        algorithm = self._allow(header.get("alg"))
        if not isinstance(kid, str) or not kid or not isinstance(jku, str):
            raise UntrustedCard("a signature names no key by 'kid'", reason=Distrust.MALFORMED)
        if "crit" in header or len(signature.signature) > MAX_SIGNATURE_CHARS:
            problem = "a signature is longer than any, or has critical members ('crit') that are unknown here"
            raise UntrustedCard(problem, reason=Distrust.MALFORMED)
        return _Claim(algorithm, kid, jku)

    def _allow(self, name: object) -> Algorithm:
        text = str(name)[:40]
        if text.lower() == "none":
            problem = "the algorithm 'none' signs nothing"
        elif text.startswith("HS"):
            problem = f"the algorithm {text!r} needs a shared secret, and a public key is none: anybody could have made this"
        elif name not in {algorithm.value for algorithm in self._algorithms}:
            problem = f"the algorithm {text!r} is not among those that are accepted"
        else:
            return Algorithm(name)
        raise UntrustedCard(problem, reason=Distrust.ALGORITHM_REFUSED)

    async def _find_keys(self, claim: _Claim) -> KeySet:
        if self._own is not None and (keys := await self._own.find(claim.kid)):
            return keys
        if not claim.jku:
            problem = f"the key {claim.kid!r} is not known"
        elif claim.jku not in self._allowed:
            problem = (
                f"the key {claim.kid!r} is not known, and keys from {claim.jku[:200]!r} are not accepted"
            )
        elif keys := await self._open(claim.jku).find(claim.kid):
            return keys
        else:
            problem = f"the key {claim.kid!r} is not in the key set at {claim.jku!r}"
        raise UntrustedCard(problem, reason=Distrust.UNKNOWN_KEY)

    def _open(self, jku: str) -> RemoteKeys:
        """The key set of a URL; only so many are kept, because cards name them."""
        store = self._named.pop(jku, None) or RemoteKeys(jku, self._fetcher, self._clock)
        self._named[jku] = store
        if len(self._named) > MAX_KEPT_SETS:
            del self._named[next(iter(self._named))]
        return store

    def _is_usable(self, key: Mapping[str, Any], algorithm: Algorithm) -> bool:
        """Whether a JWK is meant for this and is in force (SIG-17); `exp`, `nbf` and `revoked` as OpenID Federation has them."""
        uses = key.get("key_ops")
        is_meant = (
            key.get("use", "sig") == "sig"
            and (not isinstance(uses, list) or "verify" in uses)
            and key.get("alg", algorithm.value) in _get_names(algorithm)
        )
        return is_meant and not key.get("revoked") and self._is_in_force(key)

    def _is_in_force(self, key: Mapping[str, Any]) -> bool:
        now = self._clock().millis / 1000
        begin, end = key.get("nbf", 0), key.get("exp")
        if not isinstance(begin, int | float) or not isinstance(end, int | float | None):
            return False
        return begin <= now + self._skew and (end is None or now < end + self._skew)


def _get_names(algorithm: Algorithm) -> tuple[str, ...]:
    """RFC 9864 gives EdDSA with Ed25519 a name of its own; keys and signatures may say it either way."""
    edwards = (Algorithm.EDDSA, Algorithm.ED25519)
    return tuple(one.value for one in edwards) if algorithm in edwards else (algorithm.value,)


def _is_made_by(
    jwk: Mapping[str, Any], signature: AgentCardSignature, payload: bytes, algorithm: Algorithm
) -> bool:
    try:
        key = load_public_key(jwk)
    except BadKeyError:
        return False
    return fits(algorithm, key) and is_signed(
        payload, signature.protected, signature.signature, key, algorithm
    )


_CLOSENESS = (
    Distrust.MALFORMED,
    Distrust.ALGORITHM_REFUSED,
    Distrust.UNKNOWN_KEY,
    Distrust.KEYS_UNAVAILABLE,
    Distrust.UNUSABLE_KEY,
    Distrust.TAMPERED,
)


def _sum_up(refusals: Iterable[UntrustedCard], url: str) -> UntrustedCard:
    """One refusal for all signatures, by the reason of the one that came closest to being good."""
    ordered = sorted(refusals, key=lambda refusal: _CLOSENESS.index(refusal.reason), reverse=True)
    words = "; ".join(dict.fromkeys(str(refusal) for refusal in ordered))
    place = f" at {url!r}" if url else ""
    return UntrustedCard(f"the card{place} is not trusted: {words}", reason=ordered[0].reason, url=url)
