"""A card as its agent serves it, from an address or a file."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from dragoman.cli.failures import CommandError
from dragoman.cli.peers import Header
from dragoman.client.cards import MAX_CARD_BYTES, MAX_REDIRECTS, find_card_url, find_old_card_url
from dragoman.client.http import AiohttpHttp, HttpReply, HttpRequest
from dragoman.client.transport.replies import load_failure
from dragoman.model import LATEST, TimedOut
from dragoman.wire.parameters import VERSION_HEADER

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 60.0
_OK, _NOT_FOUND = 200, 404


@dataclass(frozen=True, slots=True)
class Served:
    """The bytes of a card, where they came from, and how they were labelled; a file has no label."""

    place: str
    body: bytes
    content_type: str | None = None
    is_cacheable: bool = True


def read_card_file(name: str) -> Served:
    """A card from a file, or from standard input for `-`."""
    try:
        return Served(name, sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())
    except OSError as error:
        raise CommandError(f"the file {name!r} cannot be read: {error.strerror}") from None


def fetch_card(url: str, headers: Sequence[Header], timeout: float | None) -> Served:
    """A card from its agent, of today or of old. Raises what a client does if nobody answers, or answers with something else."""
    place = find_card_url(url)
    reply = asyncio.run(_fetch(place, headers, timeout))
    if reply.status == _NOT_FOUND and (old_place := find_old_card_url(url, place)):
        old_reply = asyncio.run(_fetch(old_place, headers, timeout))
        if old_reply.status == _OK:
            place, reply = old_place, old_reply
    if reply.status != _OK:
        raise load_failure(reply, place)
    is_cacheable = "etag" in reply.headers or "cache-control" in reply.headers
    return Served(place, reply.body, reply.headers.get("content-type", ""), is_cacheable)


async def _fetch(url: str, headers: Sequence[Header], timeout: float | None) -> HttpReply:
    http = AiohttpHttp(connect_seconds=_CONNECT_SECONDS)
    try:
        async with asyncio.timeout(timeout):
            reply = await _get(http, url, headers)
            for _ in range(MAX_REDIRECTS):
                if not 300 < reply.status < 400 or "location" not in reply.headers:
                    break
                url = urljoin(url, reply.headers["location"])
                reply = await _get(http, url, ())
            return reply
    except TimeoutError:
        raise TimedOut(f"no card after {timeout:g} seconds", url=url) from None
    finally:
        await http.close()


async def _get(http: AiohttpHttp, url: str, headers: Sequence[Header]) -> HttpReply:
    fixed = {"accept": "application/json", VERSION_HEADER: LATEST.value}
    return await http.request(
        HttpRequest("GET", url, {**fixed, **dict(headers)}, None, _IDLE_SECONDS), MAX_CARD_BYTES
    )
