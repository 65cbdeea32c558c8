"""Service parameters: the version and extensions that a call names, and what is made of them (SPEC 3.6)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl

from msgspec import Struct

from dragoman.model import LATEST, Generation, VersionNotSupportedError

VERSION_HEADER = "A2A-Version"
EXTENSIONS_HEADER = "A2A-Extensions"
OLD_EXTENSIONS_HEADER = "X-A2A-Extensions"
"""What 0.2 and 0.3 call it (SPEC 7.1)."""

MAX_QUERY_MEMBERS = 100

_VERSION = VERSION_HEADER.lower().encode()
_EXTENSIONS = EXTENSIONS_HEADER.lower().encode()
_OLD_EXTENSIONS = OLD_EXTENSIONS_HEADER.lower().encode()
_VERSION_FORM = re.compile(r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})(?:\.[0-9]{1,4})?", re.ASCII)
"""Major and minor; a patch number should not be there and must not matter (VER-01, VER-02)."""

_SERVED = frozenset({LATEST})


class ServiceParameters(Struct, frozen=True):
    """`version` is as the caller wrote it, "" if it did not; `extensions` are URIs without repetition."""

    version: str = ""
    extensions: tuple[str, ...] = ()


def load_parameters(headers: Iterable[tuple[bytes, bytes]], query: bytes | str = b"") -> ServiceParameters:
    """Read them from lower-case header pairs, as ASGI has them, and from the query string.

    Several lines of one header are merged, and the extensions under both names of their header. A header wins over the query (D-13).
    """
    versions: list[str] = []
    extensions: list[str] = []
    for name, value in headers:
        if name == _VERSION:
            versions.append(value.decode("latin-1"))
        elif name in (_EXTENSIONS, _OLD_EXTENSIONS):
            extensions.append(value.decode("latin-1"))
    if query:
        text = query.decode("latin-1") if isinstance(query, bytes) else query
        versions = versions or _find_in_query(text, VERSION_HEADER)
        extensions = extensions or _find_in_query(text, EXTENSIONS_HEADER)
    return ServiceParameters(",".join(_split(versions)), tuple(_split(extensions)))


def _find_in_query(query: str, wanted: str) -> list[str]:
    wanted = wanted.lower()
    if wanted not in query.lower():
        return []
    try:
        pairs = parse_qsl(query, max_num_fields=MAX_QUERY_MEMBERS)
    except ValueError:
        return []
    return [value for name, value in pairs if name.lower() == wanted]


def _split(values: list[str]) -> dict[str, None]:
    """The entries of comma lists, in order and once each."""
    if not values:
        return {}
    parts = (part.strip() for value in values for part in value.split(","))
    return dict.fromkeys(part for part in parts if part)


def dump_parameters(parameters: ServiceParameters) -> list[tuple[str, str]]:
    """The headers that say it (VER-03, RPC-03)."""
    headers = [(VERSION_HEADER, parameters.version)]
    if parameters.extensions:
        headers.append((EXTENSIONS_HEADER, ",".join(parameters.extensions)))
    return headers


@lru_cache(maxsize=128)
def negotiate(version: str, *, strict: bool = True, supported: frozenset[Generation] = _SERVED) -> Generation:
    """The generation that answers a call which names `version`; VersionNotSupportedError if there is none.

    An empty version means 0.3 (VER-07). A minor version below the served one of the same major is served; one
    above it only when not `strict`, and so is a call without a version where 0.3 is not served (D-14, D-15).
    """
    found = _VERSION_FORM.fullmatch(version or Generation.V0_3.value)
    if found is None:
        raise _refuse(f"the protocol version {version[:60]!r} is not of the form '1.0'", supported)
    served = _choose(int(found[1]), int(found[2]), strict, supported)
    if served is None and not (strict or version):
        served = max(supported, key=_rank)
    if served is None:
        raise _refuse(_describe(version), supported)
    return served


def _choose(major: int, minor: int, strict: bool, supported: frozenset[Generation]) -> Generation | None:
    siblings = sorted((generation for generation in supported if _rank(generation)[0] == major), key=_rank)
    if major == 0:  # before 1.0 every minor version is a wire format of its own
        return next((generation for generation in siblings if _rank(generation)[1] == minor), None)
    above = [generation for generation in siblings if _rank(generation)[1] >= minor]
    return above[0] if above else siblings[-1] if siblings and not strict else None


def _rank(generation: Generation) -> tuple[int, int]:
    major, _, minor = generation.value.partition(".")
    return int(major), int(minor)


def _describe(version: str) -> str:
    if version:
        return f"the protocol version {version!r} is not supported"
    return "the call names no protocol version, which means 0.3, and this is not called so in 0.3"


def _refuse(problem: str, supported: frozenset[Generation]) -> VersionNotSupportedError:
    versions = [generation.value for generation in sorted(supported, key=_rank, reverse=True)]
    hint = f"send the header '{VERSION_HEADER}: {versions[0]}'" if versions else "no version is served"
    return VersionNotSupportedError(f"{problem}; {hint}", metadata={"supportedVersions": ",".join(versions)})
