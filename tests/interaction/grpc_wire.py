"""The gRPC binding as a stranger would write it: stock protobuf JSON and a stock channel.

Only the classes of the messages are ours, made from the schema that `test_grpc_schema` compares with the official one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc import error_details_pb2, status_pb2

from dragoman import Agent
from dragoman.client.http import HttpRequest
from dragoman.model import Binding
from dragoman.model.operations import BY_NAME
from dragoman.server import GrpcOptions
from dragoman.wire.grpc.schema import SERVICE, find_class
from tests.interaction.wires import BASE, Answer, Failure, Json, Stream, Wire, with_version

TYPE_URL = "type.googleapis.com/"
DETAILS = "grpc-status-details-bin"
DETAIL_KINDS = (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo)

# What stock protobuf leaves out because it is empty, and JSON always has (D-09).
ALWAYS: dict[str, Json] = {
    "ListTasks": {"tasks": [], "nextPageToken": "", "pageSize": 0, "totalSize": 0},
    "ListTaskPushNotificationConfigs": {"configs": []},
}
# What a proxy between HTTP and gRPC would say, so that a test can name one status for every binding.
HTTP_STATUS = {
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "UNAVAILABLE": 503,
    "RESOURCE_EXHAUSTED": 413,
}
OF_HTTP = {"accept", "content-type", "host"}


class GrpcWire(Wire):
    """Carries operations to an agent that listens for gRPC."""

    binding = Binding.GRPC
    media_type = "application/grpc"

    def __init__(self, app: Any, base: str = BASE) -> None:
        super().__init__(app, base)
        self._channel: grpc.aio.Channel | None = None

    @staticmethod
    def prepare(app: Any) -> None:
        """Have an agent listen, before it is started; an app listens if it was made to."""
        if isinstance(app, Agent):
            app.configure(grpc=GrpcOptions(port=0))

    @property
    def channel(self) -> grpc.aio.Channel:
        if self._channel is None:
            service: Any = self.app.app if isinstance(self.app, Agent) else self.app
            self._channel = grpc.aio.insecure_channel(service.grpc_address)
        return self._channel

    async def call(self, operation: str, params: Json | None = None, **headers: str) -> Answer:
        if BY_NAME[operation].streaming:
            call = self._open(operation, params or {}, headers)
            return await self._answer(operation, call, call.read())
        method: Any = self.channel.unary_unary(f"/{SERVICE}/{operation}")
        call = method(write(operation, params or {}), metadata=metadata_of(headers))
        return await self._answer(operation, call, call)

    @asynccontextmanager
    async def open(self, operation: str, params: Json, **headers: str) -> AsyncIterator[Stream]:
        call = self._open(operation, params, headers)
        try:
            headers = dict(await call.initial_metadata())
            yield Stream(self, GrpcEvents(operation, call, headers))  # type: ignore[arg-type]
        finally:
            call.cancel()

    def _open(self, operation: str, params: Json, headers: Mapping[str, str]) -> Any:
        method: Any = self.channel.unary_stream(f"/{SERVICE}/{operation}")
        return method(write(operation, params), metadata=metadata_of(headers))

    async def _answer(self, operation: str, call: Any, waiting: Any) -> Answer:
        try:
            data = await waiting
        except grpc.aio.AioRpcError as error:
            trailers: dict[str, Any] = dict(error.trailing_metadata() or ())
            texts = {name: value for name, value in trailers.items() if isinstance(value, str)}
            said = (error.details() or "").encode() + trailers.get(DETAILS, b"")
            status = HTTP_STATUS.get(error.code().name, 400)
            return Answer(status, texts, said, None, read_failure(error, trailers))
        headers = dict(await call.initial_metadata())
        return Answer(200, headers, data, {**ALWAYS.get(operation, {}), **read(operation, data)})

    def is_plain(self, answer: Answer) -> bool:
        """Over gRPC only an error does: with trailers and no message before them."""
        return not answer.is_result and not answer.headers.get("a2a-extensions")

    def unwrap(self, event: Json) -> Json:
        return event

    async def aclose(self) -> None:
        await super().aclose()
        if self._channel is not None:
            await self._channel.close()

    def build(self, operation: str, params: Json, headers: Mapping[str, str]) -> HttpRequest:
        raise NotImplementedError("gRPC is not built on the client's HTTP")

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        raise NotImplementedError("gRPC is not built on the client's HTTP")


class GrpcEvents:
    """An open stream, event by event."""

    def __init__(self, operation: str, call: Any, headers: Mapping[str, Any]) -> None:
        self.headers = headers
        self.raw = b""
        self._operation = operation
        self._call = call

    async def next(self) -> Json | None:
        data = await self._call.read()
        if data is grpc.aio.EOF:
            return None
        self.raw += data
        return read(self._operation, data)


def write(operation: str, params: Json) -> bytes:
    message = find_class(BY_NAME[operation].request.__name__)()
    data: bytes = ParseDict(params, message).SerializeToString()
    return data


def read(operation: str, data: bytes) -> Json:
    message = find_class(BY_NAME[operation].response.__name__).FromString(data)
    found: Json = MessageToDict(message)
    return found


def read_failure(error: grpc.aio.AioRpcError, trailers: Mapping[str, Any]) -> Failure:
    status = status_pb2.Status.FromString(trailers.get(DETAILS, b""))
    details = [{"@type": packed.type_url, **unpack(packed)} for packed in status.details]
    code = error.code()
    return Failure(code.value[0], error.details() or "", details, code.name)


def unpack(packed: Any) -> Json:
    kind = next(kind for kind in DETAIL_KINDS if packed.Is(kind.DESCRIPTOR))
    found: Json = MessageToDict(kind.FromString(packed.value))
    return found


def metadata_of(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in with_version(headers).items() if name not in OF_HTTP)
