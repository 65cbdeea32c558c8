"""Calls over HTTP, as the bindings that use it share them."""

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

from dragoman.client.http import Http, HttpReply, HttpRequest
from dragoman.client.transport.base import AnswerLimits, EventSource
from dragoman.client.transport.replies import load_failure, naming
from dragoman.client.transport.sse import LoadEvent, SingleSource, SseSource
from dragoman.model import DragomanError
from dragoman.wire.media import is_json
from dragoman.wire.rest import RestRequest

T = TypeVar("T")

LoadFailure: TypeAlias = Callable[[HttpReply, str], DragomanError]
"""What an answer means whose status is not a success."""


def address(
    rest: RestRequest, url: str, headers: Mapping[str, str], idle: float | None, *, media_type: str
) -> HttpRequest:
    """What goes over HTTP for a request to a path below `url`. `media_type` is that of its body, if it has one."""
    place = f"{url}{rest.path}?{rest.query}" if rest.query else url + rest.path
    if rest.body is not None:
        headers = {"content-type": media_type, **headers}
    return HttpRequest(rest.verb, place, headers, rest.body, idle)


async def exchange(
    http: Http,
    request: HttpRequest,
    limits: AnswerLimits,
    load: Callable[[bytes], T],
    fail: LoadFailure = load_failure,
) -> T:
    """Send a request and load the body of its answer; an answer that is no success is raised."""
    with naming(request.url):
        reply = await http.request(request, limits.max_response_bytes)
        if not _is_success(reply.status):
            raise fail(reply, request.url)
        return load(reply.body)


async def open_events(
    http: Http,
    request: HttpRequest,
    limits: AnswerLimits,
    load: LoadEvent,
    fail: LoadFailure = load_failure,
) -> EventSource:
    """Send a request and read the events of its answer, or the one that a plain JSON body holds (D-25)."""
    with naming(request.url):
        stream = await http.open(request)
        is_event_stream = _is_success(stream.status) and not is_json(stream.headers.get("content-type", ""))
        if is_event_stream:
            return SseSource(stream, load, max_event_bytes=limits.max_event_bytes, url=request.url)
        body = await stream.read_all(limits.max_response_bytes)
        if not _is_success(stream.status):
            raise fail(HttpReply(stream.status, stream.headers, body), request.url)
        return SingleSource(load(body))


def _is_success(status: int) -> bool:
    return 200 <= status < 300
