"""Files that a message names by URL, fetched within bounds (IAN-04, SPEC 1.3)."""

import logging
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dragoman.agent.inflating import Inflater, make_inflater
from dragoman.model import SkillError
from dragoman.security import EgressPolicy
from dragoman.security.guarded_http import describe_failure, open_guarded_session
from dragoman.wire.media import get_essence, matches

if TYPE_CHECKING:
    import aiohttp

_CHUNK_BYTES = 64 * 1024
_UNSPECIFIC = ("", "application/octet-stream", "binary/octet-stream")
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "dragoman"}

logger = logging.getLogger("dragoman.agent.files")


class FileError(SkillError):
    """A file that cannot be had. Let through, it fails the skill's task with the same words, which are fit for the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How files are fetched. Only public addresses are dialled, unless `egress` allows more.

    `max_bytes` is what one file may have, after decompression as well. `timeout` is for all of it. Of `schemes`, a careful agent
    leaves `https` alone.
    """

    egress: EgressPolicy = field(default_factory=EgressPolicy)
    timeout: timedelta = timedelta(seconds=30)
    max_bytes: int = 32 * 1024 * 1024
    schemes: Sequence[str] = ("https", "http")


class FileFetcher:
    """Fetches one file at a time from wherever a caller says it is, without credentials and without following redirects."""

    def __init__(self, options: FileOptions) -> None:
        self.options = options

    @asynccontextmanager
    async def open(
        self, url: str, media_types: Sequence[str] = ()
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """The content in pieces; FileError where it is not to be had, or is of none of `media_types`."""
        self._check_url(url)
        options = self.options
        async with open_guarded_session(
            options.egress, timeout=options.timeout, max_connections=1
        ) as session:
            try:
                reply = await _ask(session, url)
            except (OSError, ValueError, _client_error()) as error:
                raise _explain(error, options) from error
            async with reply:
                inflater = _check_reply(reply, media_types, options.max_bytes)
                yield self._iterate(reply, inflater)

    async def _iterate(self, reply: "aiohttp.ClientResponse", inflater: Inflater) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for chunk in reply.content.iter_chunked(_CHUNK_BYTES):
                for piece in inflater.feed(chunk):
                    size += len(piece)
                    if size > self.options.max_bytes:
                        raise _too_large(self.options.max_bytes)
                    yield piece
            inflater.finish()
        except zlib.error:
            raise FileError("the file at this URL is not compressed as it says") from None
        except (OSError, _client_error()) as error:
            raise _explain(error, self.options) from error

    def _check_url(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            is_fit = parts.scheme in self.options.schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_fit = False
            parts = None
        if not is_fit or parts is None or not url.isprintable() or " " in url:
            schemes = " or ".join(self.options.schemes)
            raise FileError(f"the URL of a file is an absolute one of {schemes}")
        if parts.username is not None or parts.password is not None:
            raise FileError("the URL of a file must not hold a user name or a password")


async def _ask(session: "aiohttp.ClientSession", url: str) -> "aiohttp.ClientResponse":
    return await session.get(url, allow_redirects=False, headers=_HEADERS)


def _check_reply(reply: "aiohttp.ClientResponse", media_types: Sequence[str], max_bytes: int) -> Inflater:
    if 300 <= reply.status < 400:
        raise FileError("the URL of the file leads elsewhere; redirects are not followed")
    if reply.status != 200:
        raise FileError(f"the file cannot be fetched: its server answers HTTP {reply.status}")
    media_type = get_essence(reply.headers.get("content-type", ""))
    is_fit = media_type in _UNSPECIFIC or any(matches(wanted, media_type) for wanted in media_types)
    if media_types and not is_fit:
        raise FileError(f"the file at this URL is {media_type[:60]!r}; expected {', '.join(media_types)}")
    if reply.content_length is not None and reply.content_length > max_bytes:
        raise _too_large(max_bytes)
    encoding = reply.headers.get("content-encoding", "").strip().lower()
    inflater = make_inflater(encoding)
    if inflater is None:
        raise FileError(f"the file at this URL is compressed as {encoding[:60]!r}, which is not understood")
    return inflater


def _too_large(max_bytes: int) -> FileError:
    return FileError(f"the file is larger than {max_bytes} bytes")


def _explain(error: Exception, options: FileOptions) -> FileError:
    """In words for the caller, who learns nothing of the network here, not even what it has a name for; the operator does."""
    logger.warning("a file could not be fetched: %s", describe_failure(error))
    if isinstance(error, TimeoutError):
        return FileError(f"the file cannot be fetched within {options.timeout.total_seconds():g} seconds")
    return FileError("the file cannot be fetched: its server cannot be reached from here, or broke off")


def _client_error() -> "type[aiohttp.ClientError]":
    import aiohttp

    return aiohttp.ClientError
