"""JSON-RPC calls of the generations before 1.0 (SPEC 7.2, 7.7)."""

from dragoman.model import A2AError
from dragoman.server.asked import make_echo
from dragoman.server.exchange import Deliverable
from dragoman.server.failures import ClientGoneError, error_headers, explain, jsonrpc_status
from dragoman.server.older import Caller, Older, OlderResult
from dragoman.server.older_streams import OlderFraming
from dragoman.server.replies import EVENT_STREAM, JSON, Reply, refusal
from dragoman.server.streaming import StreamReply
from dragoman.wire import codec, jsonrpc, sse
from dragoman.wire.dialects import Dialect
from dragoman.wire.jsonrpc import RpcCall, RpcId
from dragoman.wire.parameters import OLD_EXTENSIONS_HEADER


async def answer(older: Older, caller: Caller, rpc: RpcCall) -> Deliverable:
    """Carry the call out, and answer in its own generation, errors as well."""
    dialect = older.dialect_for(rpc.method)
    try:
        chosen = older.choose(rpc.method, older.gate.find_version(caller.scope, caller.headers))
        dialect = chosen.dialect
        done = await older.carry_out(caller, chosen, codec.decode_json(rpc.params))
        if chosen.operation.streaming:
            return _stream(older, rpc.id, done)
        result = codec.encode(older.dump(chosen.operation, done, caller.scope))
    except ClientGoneError:
        raise
    except Exception as error:
        if dialect is None:
            raise
        return _refuse(rpc, explain(error), dialect)
    return Reply(
        JSON,
        jsonrpc.build_result(rpc.id, result),
        headers=make_echo(done.call.extensions, OLD_EXTENSIONS_HEADER),
    )


def _refuse(rpc: RpcCall, error: A2AError, dialect: Dialect) -> Reply:
    """The error, as an event where a stream was asked for: callers of those days read nothing else when the status is 200."""
    body, status = _build_error(rpc.id, error, dialect), jsonrpc_status(error)
    if status == 200 and dialect.methods[rpc.method].streaming:
        return refusal(EVENT_STREAM, sse.encode_event(sse.make_line(body)), status, error_headers(error))
    return refusal(JSON, body, status, error_headers(error))


def _build_error(id: RpcId, error: A2AError, dialect: Dialect) -> bytes:
    return codec.encode({"jsonrpc": "2.0", "id": id, "error": dialect.dump_error(error)})


def _stream(older: Older, id: RpcId, done: OlderResult) -> StreamReply:
    def frame_error(error: A2AError) -> bytes:
        return sse.encode_event(sse.make_line(_build_error(id, error, done.dialect)))

    return StreamReply(
        done.result,
        OlderFraming(done.dialect, frame_error, id=codec.encode(id)),
        streams=older.streams,
        headers=make_echo(done.call.extensions, OLD_EXTENSIONS_HEADER),
    )
