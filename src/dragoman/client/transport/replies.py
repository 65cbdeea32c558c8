"""What an HTTP answer means when it is not the result (SPEC 3.2, D-04, D-05, D-24)."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from dragoman.client.http import HttpReply
from dragoman.model import (
    DragomanError,
    PeerError,
    PermissionDeniedError,
    Rejected,
    UnauthenticatedError,
    UnavailableError,
)
from dragoman.wire.errors import DEFAULT_RETRY_AFTER, load_rest_error

MAX_SHOWN_CHARS = 200


def load_failure(reply: HttpReply, url: str) -> DragomanError:
    """The error of an answer whose status is not a success: the body's, else what the status says."""
    error: DragomanError | None = load_rest_error(reply.status, reply.body, reply.headers.get("retry-after"))
    if error is None:
        error = _load_status(reply) or _reject(reply, url)
    if isinstance(error, UnauthenticatedError):
        error.challenge = reply.headers.get("www-authenticate", error.challenge)
    return error


def _load_status(reply: HttpReply) -> DragomanError | None:
    match reply.status:
        case 401:
            return UnauthenticatedError()
        case 403:
            return PermissionDeniedError()
        case 429 | 503 if "retry-after" in reply.headers:
            return UnavailableError(retry_after=_load_retry_after(reply.headers))
        case _:
            return None


def _load_retry_after(headers: Mapping[str, str]) -> timedelta:
    text = headers["retry-after"].strip()
    return timedelta(seconds=int(text)) if text.isdecimal() and len(text) <= 9 else DEFAULT_RETRY_AFTER


def _reject(reply: HttpReply, url: str) -> Rejected:
    if location := reply.headers.get("location"):
        problem = f"it redirects to {location!r}; use that address if you trust it"
    else:
        problem = reply.body[:MAX_SHOWN_CHARS].decode("utf-8", "replace").strip() or "the answer is empty"
    return Rejected(f"{url!r} answered HTTP {reply.status}: {problem}", status=reply.status, url=url)


@contextmanager
def naming(url: str) -> Generator[None, None, None]:
    """Write the address into errors that were raised where it is not known."""
    try:
        yield
    except PeerError as error:
        error.url = error.url or url
        raise
