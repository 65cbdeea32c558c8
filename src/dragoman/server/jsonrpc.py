"""The JSON-RPC binding on HTTP (SPEC 3.3)."""

from starlette.types import Receive, Scope

from dragoman.engine.entries import StreamItem
from dragoman.engine.handler import Call
from dragoman.model import A2AError, MethodNotFoundError
from dragoman.model.operations import BY_NAME
from dragoman.server import older_rpc
from dragoman.server.asked import make_echo
from dragoman.server.dispatch import EventSource
from dragoman.server.exchange import Deliverable
from dragoman.server.failures import error_headers, jsonrpc_status
from dragoman.server.framing import RESULT_END, RESULT_START, Framing
from dragoman.server.headers import read_headers
from dragoman.server.older import Caller
from dragoman.server.replies import JSON, Reply, refusal
from dragoman.server.streaming import StreamReply
from dragoman.server.surroundings import Surroundings
from dragoman.wire import codec, jsonrpc, sse
from dragoman.wire.jsonrpc import RpcCall, RpcFault, RpcId

_METHODS = ", ".join(BY_NAME)
_ENCODING = "1.0 jsonrpc"


class JsonRpcExchange:
    """One JSON-RPC request."""

    __slots__ = ("_around", "_id")

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._id: RpcId = None

    async def answer(self, scope: Scope, receive: Receive) -> Deliverable:
        around, gate = self._around, self._around.gate
        headers = read_headers(scope)
        principal = await gate.admit(scope, headers)
        rpc = self._parse(await gate.read_body(headers, receive))
        bound = around.operations.get(rpc.method)
        if bound is None:
            return await self._answer_older(Caller(scope, headers, principal), rpc)
        asked = gate.negotiate(scope, headers)
        request = codec.decode(bound.operation.request, rpc.params)
        call = gate.make_call(principal, headers, asked, request)
        result = await bound.run(call, request)
        if bound.operation.streaming:
            return self._stream(result, call)
        body = jsonrpc.build_result(rpc.id, around.encode(result, scope))
        return Reply(JSON, body, headers=make_echo(call.extensions))

    async def _answer_older(self, caller: Caller, rpc: RpcCall) -> Deliverable:
        """A method that 1.0 does not have may be one of a generation before, unless the call says that it is of 1.0."""
        older = self._around.older
        is_of_latest = self._around.gate.find_version(caller.scope, caller.headers).startswith("1.")
        if older is not None and not is_of_latest and older.dialect_for(rpc.method) is not None:
            return await older_rpc.answer(older, caller, rpc)
        if older is None:
            self._around.gate.negotiate(caller.scope, caller.headers)
        raise MethodNotFoundError(f"there is no method {rpc.method[:60]!r}; the methods are {_METHODS}")

    def refuse(self, error: A2AError) -> Deliverable:
        return refusal(
            JSON, jsonrpc.build_error(self._id, error), jsonrpc_status(error), error_headers(error)
        )

    def _parse(self, body: bytes) -> RpcCall:
        try:
            call = jsonrpc.parse_call(body)
        except RpcFault as fault:
            self._id = fault.id
            raise fault.error from None
        self._id = call.id
        return call

    def _stream(self, source: EventSource, call: Call) -> StreamReply:
        call_id = self._id

        def frame_error(error: A2AError) -> bytes:
            return sse.encode_event(sse.make_line(jsonrpc.build_error(call_id, error)))

        framing = Framing(_ENCODING, _frame, frame_error, id=codec.encode(call_id))
        return StreamReply(source, framing, streams=self._around.streams, headers=make_echo(call.extensions))


def _frame(item: StreamItem) -> bytes:
    place = b"id: %b\n" % item.mark.encode() if item.seq else b""
    return b"%b%b%b%b" % (place, RESULT_START, item.json, RESULT_END)
