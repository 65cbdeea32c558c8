"""gRPC (SPEC 3.4)."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc.aio

from dragoman.client.transport.base import AnswerLimits, EventSource, StreamEvent, Transport
from dragoman.client.transport.channel import GrpcLink
from dragoman.client.transport.grpc_dialect import GrpcDialect, LatestGrpc
from dragoman.client.transport.grpc_errors import load_failure
from dragoman.model import (
    BadResponse,
    InvalidParamsError,
    InvalidRequestError,
    Operation,
    Record,
    TimedOut,
    Unreachable,
)
from dragoman.wire.marks import MARKS_EXTENSION
from dragoman.wire.parameters import EXTENSIONS_HEADER, OLD_EXTENSIONS_HEADER

_EXTENSIONS = EXTENSIONS_HEADER.lower()
_OLD_EXTENSIONS = OLD_EXTENSIONS_HEADER.lower()

# What belongs to HTTP, or is gRPC's own to say.
_NOT_METADATA = re.compile(
    r"grpc-.*|accept(-.*)?|connection|content-(encoding|length|type)|host|te|transfer-encoding|upgrade|user-agent"
)
_PRINTABLE = re.compile(r"[ -~]*")


class GrpcTransport(Transport):
    """Every operation is a method of one service."""

    def __init__(
        self,
        link: GrpcLink,
        url: str,
        limits: AnswerLimits,
        *,
        note: Callable[[str], None],
        dialect: GrpcDialect | None = None,
    ) -> None:
        self._dialect = dialect or LatestGrpc()
        self._link = link
        self._note = note
        self._url = url
        self._limits = limits

    async def call(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> Record:
        path, data = self._dialect.path_of(operation), self._dialect.dump(operation, request)
        metadata = _make_metadata(headers)
        channel = await self._link.connect()
        async with _translated(self._url, None, operation):
            start: Any = channel.unary_unary(path)  # pyright: ignore[reportUnknownVariableType]
            call = start(data, metadata=metadata, timeout=idle)
            answer = await call
            await self._take_note(call)
        with _reading(self._url):
            return self._dialect.load(operation, answer)

    async def open(
        self, operation: Operation, request: Record, *, headers: Mapping[str, str], idle: float | None = None
    ) -> EventSource:
        """Comes back with the first event at hand: what an agent refuses shows only there."""
        path, data = self._dialect.path_of(operation), self._dialect.dump(operation, request)
        metadata = _make_metadata(_with_marks(headers) if self._dialect.has_marks else headers)
        channel = await self._link.connect()
        start: Any = channel.unary_stream(path)  # pyright: ignore[reportUnknownVariableType]
        call = start(data, metadata=metadata)
        try:
            async with _translated(self._url, idle):
                await self._take_note(call)
            source = GrpcSource(call, self._url, self._limits.max_event_bytes, idle, self._dialect)
            await source.fetch()
        except BaseException:
            call.cancel()
            raise
        return source

    async def close(self) -> None:
        await self._link.close()

    async def _take_note(self, call: Any) -> None:
        metadata = dict(await call.initial_metadata())
        self._note(metadata.get(_EXTENSIONS) or metadata.get(_OLD_EXTENSIONS, ""))


class GrpcSource(EventSource):
    """Reads a stream of messages."""

    def __init__(
        self, call: Any, url: str, max_event_bytes: int, idle: float | None, dialect: GrpcDialect
    ) -> None:
        self._dialect = dialect
        self._call = call
        self._url = url
        self._max_event_bytes = max_event_bytes
        self._idle = idle
        self._fetched: list[Any] = []

    async def fetch(self) -> None:
        """Wait for the first event; a skill that answers with a message may take its time."""
        async with _translated(self._url, None):
            self._fetched.append(await self._call.read())

    async def read(self) -> StreamEvent | None:
        data = self._fetched.pop() if self._fetched else await self._read()
        if data is grpc.aio.EOF:
            self.close()
            return None
        if len(data) > self._max_event_bytes:
            raise BadResponse(
                f"an event of the stream is larger than {self._max_event_bytes} bytes", url=self._url
            )
        with _reading(self._url):
            return self._dialect.load_event(data)

    def close(self) -> None:
        self._call.cancel()

    async def _read(self) -> Any:
        async with _translated(self._url, self._idle):
            return await self._call.read()


@asynccontextmanager
async def _translated(
    url: str, seconds: float | None, operation: Operation | None = None
) -> AsyncGenerator[None]:
    """Say in our errors what goes wrong inside; TimedOut after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimedOut(f"{url!r} is silent for too long", url=url) from None
    except grpc.aio.AioRpcError as failure:
        raise load_failure(failure, url, operation) from failure
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody has cancelled the reader: the channel was closed under it.
        raise Unreachable(f"the connection to {url!r} was closed", url=url) from None


@contextmanager
def _reading(url: str) -> Generator[None]:
    """Say BadResponse of an answer that cannot be read."""
    try:
        yield
    except InvalidRequestError as error:
        raise BadResponse(f"the answer of {url!r} cannot be read: {error.message}", url=url) from None
    except InvalidParamsError as error:
        problems = "; ".join(f"{violation.field}: {violation.description}" for violation in error.violations)
        raise BadResponse(f"the answer of {url!r} does not fit: {problems}", url=url) from None


def _with_marks(headers: Mapping[str, str]) -> dict[str, str]:
    wanted = headers.get(_EXTENSIONS)
    if wanted and MARKS_EXTENSION in wanted:
        return dict(headers)
    return {**headers, _EXTENSIONS: f"{wanted},{MARKS_EXTENSION}" if wanted else MARKS_EXTENSION}


def _make_metadata(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """ValueError for a value that gRPC cannot carry."""
    kept = tuple((name, value) for name, value in headers.items() if not _NOT_METADATA.fullmatch(name))
    for name, value in kept:
        if not _PRINTABLE.fullmatch(value):
            raise ValueError(
                f"the header {name!r} has characters that gRPC does not carry; write it in ASCII"
            )
    return kept
