"""Where the public keys come from that cards are checked with (SIG-13, SIG-15 to SIG-17)."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, NamedTuple, Protocol, TypeAlias
from urllib.parse import SplitResult, urlsplit

from dragoman.model import JSON, Clock, Distrust, ParseError, UntrustedCard
from dragoman.security.cards.jose import BadKeyError, load_key_set
from dragoman.security.egress import EgressPolicy
from dragoman.security.guarded_http import describe_failure, open_guarded_session
from dragoman.wire.codec import decode_json
from dragoman.wire.depth import check_depth
from dragoman.wire.freshness import get_lifetime

MAX_KEY_SET_BYTES = 256 * 1024
MAX_KEPT_SETS = 64
MIN_LIFETIME_SECONDS = 60.0
"""A key set is not fetched more often than this, whatever it says and whatever keys it lacks."""
MAX_LIFETIME_SECONDS = 24 * 3600.0
STALE_SECONDS = 3600.0
"""How much longer a key set is used that cannot be fetched again."""
FAILURE_SECONDS = 10.0
"""How long a failed fetch is remembered instead of tried again."""
FETCH_TIMEOUT = timedelta(seconds=10)

KeySet: TypeAlias = list[dict[str, Any]]


class KeyStore(Protocol):
    """Gives the keys of an id."""

    async def find(self, kid: str) -> KeySet:
        """The keys with this id, none if it has none. UntrustedCard if the set cannot be read."""
        ...


class GivenKeys:
    """A key set that the caller has."""

    def __init__(self, document: JSON) -> None:
        self._keys = load_key_set(document)

    async def find(self, kid: str) -> KeySet:
        return select(self._keys, kid)


class _Fetched(NamedTuple):
    keys: KeySet
    at: float
    expires: float


class RemoteKeys:
    """A key set at a URL: fetched when it is needed, kept for as long as it says, asked again for a key that it lacked."""

    def __init__(self, url: str, fetcher: "KeySetFetcher", clock: Clock) -> None:
        self._url = url
        self._fetcher = fetcher
        self._clock = clock
        self._fetched: _Fetched | None = None
        self._failure: tuple[UntrustedCard, float] | None = None
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> KeySet:
        async with self._lock:
            fetched = self._fetched
            if fetched is None or self._is_due(fetched, kid):
                fetched = await self._renew()
        return select(fetched.keys, kid)

    def _is_due(self, fetched: _Fetched, kid: str) -> bool:
        """A key that is not there may be a new one; but who names unknown keys shall not make us ask all the time."""
        now = self._now()
        is_unknown = not select(fetched.keys, kid)
        return now >= fetched.expires or (is_unknown and now >= fetched.at + MIN_LIFETIME_SECONDS)

    async def _renew(self) -> _Fetched:
        now = self._now()
        try:
            keys, lifetime = await self._fetch(now)
        except UntrustedCard:
            kept = self._fetched
            if kept is None or now >= kept.expires + STALE_SECONDS:
                raise
            return kept
        bounded = min(max(lifetime, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS)
        self._fetched = _Fetched(keys, now, now + bounded)
        return self._fetched

    async def _fetch(self, now: float) -> tuple[KeySet, float]:
        if self._failure is not None and now < self._failure[1] + FAILURE_SECONDS:
            raise self._failure[0]
        try:
            return await self._fetcher.fetch(self._url)
        except UntrustedCard as failure:
            self._failure = (failure, now)
            raise

    def _now(self) -> float:
        return self._clock().millis / 1000


class KeySetFetcher:
    """Fetches key sets: no redirects, a bounded answer, and only from addresses that `egress` lets through."""

    def __init__(self, egress: EgressPolicy, tls: ssl.SSLContext | None) -> None:
        self._egress = egress
        self._tls = tls

    async def fetch(self, url: str) -> tuple[KeySet, float]:
        """The keys and for how many seconds they hold; UntrustedCard if they cannot be had."""
        import aiohttp

        session = open_guarded_session(self._egress, timeout=FETCH_TIMEOUT, tls=self._tls)
        try:
            async with session, session.get(url, allow_redirects=False) as reply:
                if reply.status != 200:
                    raise _unavailable(url, f"the answer is HTTP {reply.status}")
                body = await _read(reply.content, url)
                lifetime = get_lifetime({name.lower(): value for name, value in reply.headers.items()})
        except TimeoutError:
            raise _unavailable(url, f"no answer within {FETCH_TIMEOUT.total_seconds():g} seconds") from None
        except (OSError, ValueError, aiohttp.ClientError) as error:
            raise _unavailable(url, describe_failure(error)) from None
        return _load(body, url), lifetime


class AllowedUrls:
    """The places that keys may come from, whatever a signature says (SIG-12).

    An entry is an https URL; what lies below its path is allowed too.
    """

    def __init__(self, prefixes: Iterable[str]) -> None:
        if isinstance(prefixes, str):
            raise ValueError("jku_allow is a list of URLs, also where there is only one")  # noqa: TRY004 - as for a bad URL
        self._prefixes = [_check_prefix(prefix) for prefix in prefixes]

    def __bool__(self) -> bool:
        return bool(self._prefixes)

    def __contains__(self, url: str) -> bool:
        parts = _split(url)
        return parts is not None and any(_is_below(parts, prefix) for prefix in self._prefixes)


def check_key_url(url: str) -> str:
    """`url` if keys may be fetched from it: https, or this machine. ValueError if not."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return url
    raise ValueError(f"keys are fetched over https, and the key set is at {url!r}")


def select(keys: Iterable[Mapping[str, Any]], kid: str) -> KeySet:
    """The keys of an id."""
    return [dict(key) for key in keys if key.get("kid") == kid]


async def _read(content: Any, url: str) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_KEY_SET_BYTES:
            raise _unavailable(url, f"it is larger than {MAX_KEY_SET_BYTES} bytes")
    return bytes(body)


def _load(body: bytes, url: str) -> KeySet:
    try:
        document = decode_json(body)
        check_depth(body)
        return load_key_set(document)
    except ParseError as error:
        raise _unavailable(url, error.message) from None
    except BadKeyError as error:
        raise _unavailable(url, str(error)) from None


def _unavailable(url: str, why: str) -> UntrustedCard:
    return UntrustedCard(
        f"the key set at {url!r} cannot be read: {why}", reason=Distrust.KEYS_UNAVAILABLE, url=url
    )


def _check_prefix(prefix: str) -> SplitResult:
    parts = _split(prefix)
    if parts is None:
        raise ValueError(f"jku_allow takes https URLs without query or dots, and not {prefix!r}")
    return parts


def _split(url: str) -> SplitResult | None:
    """The parts of a URL that means the same to everybody who reads it; None for all others."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    has_tricks = "\\" in url or "%" in parts.path or "@" in parts.netloc or not url.isprintable()
    dots = {".", ".."} & set(parts.path.split("/"))
    return parts if is_plain and not (has_tricks or dots or parts.query or parts.fragment) else None


def _is_below(parts: SplitResult, prefix: SplitResult) -> bool:
    if (parts.hostname, parts.port or 443) != (prefix.hostname, prefix.port or 443):
        return False
    folder = prefix.path.rstrip("/")
    return parts.path == prefix.path or parts.path.startswith(folder + "/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
