"""Whatever an agent of an older generation answers, it is read, or it is an error of the protocol or a bad answer."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import A2AError, BadResponse, Record, operations
from dragoman.wire.dialects import PROTO, dialect_named
from dragoman.wire.dialects.answers import (
    find_rest_error,
    find_rpc_error,
    load_rest_event,
    load_rest_result,
    load_rpc_event,
    load_rpc_result,
)

NAMES = ["0.3", "0.2", "0.1", PROTO]
WORDS = st.sampled_from(
    [
        "task",
        "message",
        "kind",
        "status",
        "state",
        "final",
        "id",
        "parts",
        "error",
        "code",
        "result",
        "artifact",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | WORDS
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.binary(max_size=40) | TREES.map(lambda tree: json.dumps(tree).encode())
ENVELOPES = st.sampled_from(["result", "error"]).flatmap(
    lambda name: TREES.map(lambda tree: json.dumps({"jsonrpc": "2.0", "id": 1, name: tree}).encode())
)


@pytest.mark.parametrize("name", NAMES)
@given(body=BODIES | ENVELOPES)
def test_nothing_else_gets_out(name, body):
    dialect = dialect_named(name)
    for load in (
        lambda: load_rpc_result(dialect, operations.SEND_MESSAGE, body),
        lambda: load_rpc_result(dialect, operations.GET_TASK, body),
        lambda: load_rpc_result(dialect, operations.CREATE_PUSH_CONFIG, body),
        lambda: load_rest_result(dialect, operations.SEND_MESSAGE, body),
        lambda: load_rpc_event(dialect, body).event,
        lambda: load_rest_event(dialect, body).event,
    ):
        with contextlib.suppress(A2AError, BadResponse):
            assert isinstance(load(), Record)
    for error in (find_rpc_error(dialect, body), find_rest_error(operations.GET_TASK, 404, body)):
        assert error is None or isinstance(error, A2AError)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_nested_too_deep_is_a_bad_one(name):
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    for body in (
        deep,
        b'{"jsonrpc":"2.0","id":1,"result":{"kind":"task","id":"t","metadata":' + deep + b"}}",
    ):
        with pytest.raises(BadResponse):
            load_rpc_result(dialect_named(name), operations.GET_TASK, body)
        with pytest.raises(BadResponse):
            load_rest_event(dialect_named(name), body)


@pytest.mark.parametrize(
    "event, is_last",
    [
        (
            {
                "kind": "status-update",
                "taskId": "t",
                "contextId": "c",
                "status": {"state": "completed"},
                "final": True,
            },
            True,
        ),
        (
            {
                "kind": "status-update",
                "taskId": "t",
                "contextId": "c",
                "status": {"state": "working"},
                "final": False,
            },
            False,
        ),
        (
            {
                "statusUpdate": {
                    "taskId": "t",
                    "contextId": "c",
                    "status": {"state": "TASK_STATE_COMPLETED"},
                    "final": True,
                }
            },
            True,
        ),
        (
            {
                "status_update": {
                    "task_id": "t",
                    "context_id": "c",
                    "status": {"state": "TASK_STATE_FAILED"},
                    "final": True,
                }
            },
            True,
        ),
        (
            {"kind": "message", "messageId": "m", "role": "agent", "parts": [{"kind": "text", "text": "x"}]},
            False,
        ),
    ],
)
def test_the_last_event_says_that_it_is(event, is_last):
    assert load_rest_event(dialect_named(PROTO), json.dumps(event).encode()).is_last is is_last
