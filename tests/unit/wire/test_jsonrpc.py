"""The JSON-RPC envelope (SPEC 3.3, RPC-*, D-26, D-27)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import (
    A2AError,
    BadResponse,
    Empty,
    FieldViolation,
    GetTaskRequest,
    InternalError,
    InvalidParamsError,
    InvalidRequestError,
    ParseError,
    StreamResponse,
    Task,
    TaskNotFoundError,
)
from dragoman.wire.codec import decode, decode_json, encode
from dragoman.wire.jsonrpc import (
    MAX_ID_CHARS,
    RESULT_END,
    RESULT_MIDDLE,
    RESULT_START,
    RpcFault,
    build_call,
    build_error,
    build_result,
    parse_call,
    parse_reply,
)
from tests.unit.wire.strategies import FAST, FILLED_TEXTS, JSON_VALUES, OBJECTS, THOROUGH, records

IDS = (
    st.none() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | FILLED_TEXTS
)
TASK = b'{"id":"t","status":{"state":"TASK_STATE_WORKING"}}'


def refuse(body):
    with pytest.raises(RpcFault) as raised:
        parse_call(body)
    return raised.value


@FAST
@given(IDS, FILLED_TEXTS, OBJECTS)
def test_a_call_arrives_as_it_was_built(id, method, params):
    call = parse_call(build_call(id, method, encode(params)))
    assert (call.id, call.method, decode_json(call.params)) == (id, method, params)
    assert type(call.id) is type(id)


def test_params_are_decoded_later():
    call = parse_call(b'{"jsonrpc":"2.0","id":1,"method":"GetTask","params": {"id":"t"} }')
    assert decode(GetTaskRequest, call.params) == GetTaskRequest(id="t")


@pytest.mark.parametrize("tail", [b"", b',"params":null', b',"params":{}', b',"params":{ }', b',"extra":[1]'])
def test_params_may_be_absent(tail):
    call = parse_call(b'{"jsonrpc":"2.0","id":"a","method":"GetExtendedAgentCard"%b}' % tail)
    assert decode_json(call.params) == {}


def test_a_call_without_an_id_is_answered_with_null():
    """D-26."""
    assert parse_call(b'{"jsonrpc":"2.0","method":"GetTask"}').id is None


@pytest.mark.parametrize(
    "body, error, id",
    [
        (b"", ParseError, None),
        (b'{"jsonrpc":"2.0","id":1,', ParseError, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', ParseError, None),
        (b"[" * 10_000, ParseError, None),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"m","params":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
            ParseError,
            None,
        ),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":' + b"[" * 200 + b"]" * 200 + b"}}",
            ParseError,
            1,
        ),
        (b'[{"jsonrpc":"2.0","id":1,"method":"m"}]', InvalidRequestError, None),
        (b"[]", InvalidRequestError, None),
        (b"5", InvalidRequestError, None),
        (b'"GetTask"', InvalidRequestError, None),
        (b'{"id":1,"method":"m"}', InvalidRequestError, 1),
        (b'{"jsonrpc":"1.0","id":"a","method":"m"}', InvalidRequestError, "a"),
        (b'{"jsonrpc":2.0,"id":1,"method":"m"}', InvalidRequestError, 1),
        (b'{"jsonrpc":"2.0","id":1}', InvalidRequestError, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":null}', InvalidRequestError, 1),
        (b'{"jsonrpc":"2.0","id":1.5,"method":7}', InvalidRequestError, 1.5),
        (b'{"jsonrpc":"2.0","id":true,"method":"m"}', InvalidRequestError, None),
        (b'{"jsonrpc":"2.0","id":{},"method":"m"}', InvalidRequestError, None),
        (b'{"jsonrpc":"2.0","id":[1],"method":"m"}', InvalidRequestError, None),
        (
            b'{"jsonrpc":"2.0","id":"%b","method":"m"}' % (b"x" * (MAX_ID_CHARS + 1)),
            InvalidRequestError,
            None,
        ),
        (b'{"jsonrpc":"2.0","id":1,"method":"m","params":5}', InvalidRequestError, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}', InvalidRequestError, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"m","params":[]}', InvalidParamsError, 1),
    ],
)
def test_what_is_no_call_is_refused_with_the_id_if_there_is_one(body, error, id):
    fault = refuse(body)
    assert type(fault.error) is error
    assert fault.id == id


@THOROUGH
@given(st.binary(max_size=60) | JSON_VALUES.map(encode))
def test_arbitrary_bytes_are_refused_in_the_declared_way(body):
    try:
        parse_call(body)
    except RpcFault as fault:
        build_error(fault.id, fault.error)


@THOROUGH
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "jsonrpc": st.just("2.0") | JSON_VALUES,
            "id": JSON_VALUES,
            "method": JSON_VALUES,
            "params": JSON_VALUES,
            "result": JSON_VALUES,
            "error": JSON_VALUES
            | st.fixed_dictionaries({"code": JSON_VALUES}, optional={"data": JSON_VALUES}),
        },
    ).map(encode)
)
def test_arbitrary_envelopes_raise_only_declared_errors(body):
    try:
        parse_call(body)
    except RpcFault as fault:
        build_error(fault.id, fault.error)
    with suppress(A2AError, BadResponse):
        parse_reply(body, Task)


@FAST
@given(IDS, records(Task))
def test_a_result_arrives_as_it_was_built(id, task):
    body = build_result(id, encode(task))
    assert decode_json(body)["id"] == id
    assert parse_reply(body, Task) == task
    assert body == RESULT_START + encode(id) + RESULT_MIDDLE + encode(task) + RESULT_END


@FAST
@given(records(StreamResponse))
def test_an_event_of_a_stream_is_read_like_a_reply(event):
    assert parse_reply(memoryview(build_result(1, encode(event))), StreamResponse) == event


def test_an_error_arrives_as_it_was_built():
    """ERR-17, ERR-20, RPC-06, RPC-07."""
    violation = FieldViolation(field="message", description="is required and missing")
    with pytest.raises(InvalidParamsError) as raised:
        parse_reply(
            build_error("a", InvalidParamsError("no", metadata={"k": "v"}, violations=[violation])), Task
        )
    assert (raised.value.message, raised.value.metadata) == ("no", {"k": "v"})
    assert raised.value.violations == (violation,)


def test_an_error_object_has_the_code_and_typed_details():
    """D-07, RPC-05."""
    assert decode_json(build_error(None, TaskNotFoundError("gone"))) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {
            "code": -32001,
            "message": "gone",
            "data": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "TASK_NOT_FOUND",
                    "domain": "a2a-protocol.org",
                }
            ],
        },
    }


@pytest.mark.parametrize("result", [b"null", b"{}", b'{"unknown":1}'])
def test_nothing_may_be_written_as_null_or_as_an_object(result):
    """D-27."""
    assert parse_reply(build_result(1, result), Empty) == Empty()


def test_an_error_wins_over_a_null_result_and_a_result_over_a_null_error():
    with pytest.raises(InternalError):
        parse_reply(b'{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":-32603,"message":"x"}}', Task)
    assert parse_reply(b'{"jsonrpc":"2.0","id":1,"error":null,"result":%b}' % TASK, Task).id == "t"


@pytest.mark.parametrize(
    "body, problem",
    [
        (b"", "not a JSON-RPC 2.0 response"),
        (b"<html>", "not a JSON-RPC 2.0 response"),
        (b"[]", "not a JSON-RPC 2.0 response"),
        (b'{"jsonrpc":"1.0","result":{}}', "not a JSON-RPC 2.0 response"),
        (b'{"jsonrpc":"2.0","result":"\xff"}', "not a valid Task: invalid JSON"),
        (b"[" * 10_000, "not a JSON-RPC 2.0 response"),
        (b'{"jsonrpc":"2.0","id":1}', "neither a result nor an error"),
        (b'{"jsonrpc":"2.0","id":1,"result":null}', "neither a result nor an error"),
        (b'{"jsonrpc":"2.0","id":1,"result":[]}', "not a valid Task: it: expected an object, found an array"),
        (
            b'{"jsonrpc":"2.0","id":1,"result":{"id":"t"}}',
            "not a valid Task: status: is required and missing",
        ),
        (b'{"jsonrpc":"2.0","id":1,"error":"no"}', "not a JSON-RPC error object"),
        (b'{"jsonrpc":"2.0","id":1,"error":{"code":"x"}}', "not a JSON-RPC error object"),
    ],
)
def test_what_is_no_reply_is_a_bad_response(body, problem):
    with pytest.raises(BadResponse, match=problem):
        parse_reply(body, Task)
