"""The headers and the path of a request, read once."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from starlette.types import Scope

from dragoman.security import Credentials
from dragoman.server.tls import CLIENT_CERTIFICATE

RawHeaders = dict[bytes, bytes]

_UNQUOTED = "/:@!$&'()*+,;=-._~"


def read_headers(scope: Scope) -> RawHeaders:
    """The headers by lower-case name; several lines of one are joined as RFC 9110, 5.3 has it."""
    lines: list[tuple[bytes, bytes]] = scope["headers"]
    headers = dict(lines)
    return headers if len(headers) == len(lines) else _join_lines(lines)


def _join_lines(lines: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    headers: RawHeaders = {}
    for name, value in lines:
        if name in headers:
            headers[name] += (b"; " if name == b"cookie" else b", ") + value
        else:
            headers[name] = value
    return headers


def get_text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """One header as text, "" if there is none."""
    return headers.get(name, b"").decode("latin-1")


def load_credentials(scope: Scope, headers: RawHeaders) -> Credentials:
    """What an authenticator sees of a request."""
    client = scope.get("client")
    texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
    peer = str(client[0]) if client else ""
    return Credentials(headers=texts, peer=peer, certificate=scope.get(CLIENT_CERTIFICATE))


def relative_path(scope: Scope) -> str:
    """The decoded path below the place where the app is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or not path.startswith(root):
        return path
    rest = path[len(root) :]
    return rest if not rest or rest.startswith("/") else path


def relative_raw_path(scope: Scope) -> str:
    """The same, still percent-encoded: an id may contain an encoded slash."""
    decoded = relative_path(scope)
    raw: bytes | None = scope.get("raw_path")
    if not raw:
        return quote(decoded, safe=_UNQUOTED)
    if b"%" not in raw:
        return decoded
    segments = raw.decode("latin-1").split("/")
    is_below_root = decoded != scope["path"]
    mounted = scope["root_path"].rstrip("/").count("/") if is_below_root else 0
    return "/" + "/".join(segments[mounted + 1 :])
