"""The well-known card over HTTP, and the keys that it is signed with (SPEC 4.1, 4.3, CCH-01 to CCH-04)."""

import hashlib
import time
from collections.abc import Callable
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, NamedTuple, TypeAlias

from starlette.types import Scope

from dragoman.engine.handler import Call
from dragoman.model import LATEST, AgentCard
from dragoman.server.addresses import FORWARDING_HEADERS
from dragoman.server.headers import RawHeaders, get_text
from dragoman.server.issuing import CardIssuer
from dragoman.server.replies import JSON, EmptyReply, Reply
from dragoman.wire import codec
from dragoman.wire.parameters import load_parameters

CARD_PATH = "/.well-known/agent-card.json"
OLD_CARD_PATH = "/.well-known/agent.json"
"""Where readers of 0.1 and 0.2 look."""
KEYS_PATH = "/.well-known/jwks.json"

JWK_SET = b"application/jwk-set+json"

MAX_PRINTED = 64
"""Cards that are kept as they stand on the wire: there is one for each address that callers use, and they name it."""

CardSource: TypeAlias = Callable[[Call | None], AgentCard]
"""Makes the card, for nobody in particular if there is no call. Its interfaces may be left empty."""

Merge: TypeAlias = Callable[[AgentCard], Any]
"""Makes the document for readers of every generation out of the card of 1.0."""


class CardPage:
    """Serves the card with what caches need. It is printed again when it has changed.

    With `merge`, callers who do not ask for 1.0 by `A2A-Version` get what that makes of the card: one document that readers of every
    generation understand (SPEC 7.7). The signatures in it are over the card of 1.0, which verifiers read out of it.
    """

    def __init__(
        self, *, source: CardSource, issuer: CardIssuer, max_age: int, merge: Merge | None = None
    ) -> None:
        self._source = source
        self._issuer = issuer
        self._merge = merge
        self._vary = b", ".join(
            [b"A2A-Version"] * (merge is not None) + [FORWARDING_HEADERS] * (not issuer.addresses.is_fixed)
        )
        self._cache_control = b"public, max-age=%d" % max_age
        self._seen: tuple[bytes, int] = (b"", 0)
        self._printed: dict[tuple[str, ...], _Printed] = {}

    def answer(self, scope: Scope, headers: RawHeaders) -> Reply | EmptyReply:
        """The card, or 304 if the caller has it."""
        card = self._source(None)
        is_merged = self._merge is not None and not _asks_for_latest(scope, headers)
        place = (*self._issuer.addresses.place_of(scope, headers), "merged" if is_merged else "")
        printed = self._printed.get(place)
        if printed is None or (printed.card is not card and printed.card != card):
            printed = self._print(card, scope, is_merged=is_merged)
            self._keep(place, printed)
        if _is_known(headers, printed.etag, printed.modified):
            return EmptyReply(304, printed.caching)
        return Reply(JSON, printed.body, headers=printed.caching)

    def _print(self, card: AgentCard, scope: Scope, *, is_merged: bool) -> "_Printed":
        unsigned = self._dump(self._issuer.complete(card, scope), is_merged=is_merged)
        etag = self._make_etag(unsigned)
        modified = self._date_of(codec.encode(card))
        caching = [
            (b"etag", etag),
            (b"last-modified", formatdate(modified, usegmt=True).encode()),
            (b"cache-control", self._cache_control),
        ]
        if self._vary:
            caching.append((b"vary", self._vary))
        is_signed = bool(self._issuer.signers)
        body = self._dump(self._issuer.issue(card, scope), is_merged=is_merged) if is_signed else unsigned
        return _Printed(card, body, etag, modified, tuple(caching))

    def _keep(self, place: tuple[str, ...], printed: "_Printed") -> None:
        self._printed.pop(place, None)
        self._printed[place] = printed
        if len(self._printed) > MAX_PRINTED:
            del self._printed[next(iter(self._printed))]

    def _dump(self, card: AgentCard, *, is_merged: bool) -> bytes:
        return codec.encode(self._merge(card) if self._merge is not None and is_merged else card)

    def _make_etag(self, unsigned: bytes) -> bytes:
        """Of the card without its signatures, which come out differently in every process; so it is a weak one where there are some."""
        return (b"W/" if self._issuer.signers else b"") + _hash(unsigned + self._issuer.key_ids.encode())

    def _date_of(self, template: bytes) -> int:
        """When this process first served the card as it is now."""
        digest, seen = self._seen
        now = hashlib.sha256(template).digest()
        if now != digest:
            seen = int(time.time())
            self._seen = (now, seen)
        return seen


class _Printed(NamedTuple):
    """A card as it stands on the wire, and what it was printed from."""

    card: AgentCard
    body: bytes
    etag: bytes
    modified: int
    caching: tuple[tuple[bytes, bytes], ...]


def _asks_for_latest(scope: Scope, headers: RawHeaders) -> bool:
    if b"a2a-version" not in headers and not scope.get("query_string"):
        return False
    version = load_parameters(headers.items(), scope.get("query_string", b"")).version
    return version.partition(".")[0] == LATEST.value.partition(".")[0]


class KeysPage:
    """Serves the public keys of an agent that signs its card (SIG-12, SIG-13)."""

    def __init__(self, issuer: CardIssuer, *, max_age: int) -> None:
        self._body = codec.encode(issuer.key_set)
        self._etag = _hash(self._body)
        self._cache_control = b"public, max-age=%d" % max_age

    def answer(self, headers: RawHeaders) -> Reply | EmptyReply:
        """The key set, or 304 if the caller has it."""
        caching = [(b"etag", self._etag), (b"cache-control", self._cache_control)]
        if b"if-none-match" in headers and _is_named(headers[b"if-none-match"], self._etag):
            return EmptyReply(304, caching)
        return Reply(JWK_SET, self._body, headers=caching)


def _hash(body: bytes) -> bytes:
    return b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode()


def _is_known(headers: RawHeaders, etag: bytes, modified: int) -> bool:
    if b"if-none-match" in headers:
        return _is_named(headers[b"if-none-match"], etag)
    return (
        b"if-modified-since" in headers and _parse_date(get_text(headers, b"if-modified-since")) >= modified
    )


def _is_named(line: bytes, etag: bytes) -> bool:
    """Whether If-None-Match names an entity tag, by the weak comparison of RFC 9110, 8.8.3.2."""
    tags = {tag.strip().removeprefix(b"W/") for tag in line.split(b",")}
    return bool(tags & {etag.removeprefix(b"W/"), b"*"})


def _parse_date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0
