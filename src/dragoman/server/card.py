"""The well-known card over HTTP (SPEC 4.1, 4.3, CCH-01 to CCH-04)."""

import hashlib
import time
from collections.abc import Callable
from email.utils import formatdate, parsedate_to_datetime
from typing import TypeAlias

from starlette.types import Scope

from dragoman.engine.handler import Call
from dragoman.model import AgentCard
from dragoman.server.addresses import FORWARDING_HEADERS, Addresses
from dragoman.server.headers import RawHeaders, get_text
from dragoman.server.replies import JSON, EmptyReply, Reply
from dragoman.wire import codec

CARD_PATH = "/.well-known/agent-card.json"

CardSource: TypeAlias = Callable[[Call | None], AgentCard]
"""Makes the card, for nobody in particular if there is no call. Its interfaces may be left empty."""


class CardPage:
    """Serves the card with what caches need."""

    def __init__(self, *, source: CardSource, addresses: Addresses, max_age: int) -> None:
        self._source = source
        self._addresses = addresses
        self._cache_control = b"public, max-age=%d" % max_age
        self._seen: tuple[bytes, int] = (b"", 0)

    def answer(self, scope: Scope, headers: RawHeaders) -> Reply | EmptyReply:
        """The card, or 304 if the caller has it."""
        body = codec.encode(self._addresses.complete(self._source(None), scope))
        etag = b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode()
        modified = self._date_of(codec.encode(self._source(None)))
        caching = [
            (b"etag", etag),
            (b"last-modified", formatdate(modified, usegmt=True).encode()),
            (b"cache-control", self._cache_control),
        ]
        if not self._addresses.is_fixed:
            caching.append((b"vary", FORWARDING_HEADERS))
        if _is_known(headers, etag, modified):
            return EmptyReply(304, caching)
        return Reply(JSON, body, headers=caching)

    def _date_of(self, template: bytes) -> int:
        """When this process first served the card as it is now."""
        digest, seen = self._seen
        now = hashlib.sha256(template).digest()
        if now != digest:
            seen = int(time.time())
            self._seen = (now, seen)
        return seen


def _is_known(headers: RawHeaders, etag: bytes, modified: int) -> bool:
    if b"if-none-match" in headers:
        tags = {tag.strip().removeprefix(b"W/") for tag in headers[b"if-none-match"].split(b",")}
        return bool(tags & {etag, b"*"})
    return (
        b"if-modified-since" in headers and _parse_date(get_text(headers, b"if-modified-since")) >= modified
    )


def _parse_date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0
