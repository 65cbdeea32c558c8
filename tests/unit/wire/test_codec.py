"""Records from and to JSON (SPEC 1.1, JSN-*)."""

import time
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import (
    AgentCard,
    InvalidParamsError,
    ListTasksResponse,
    Message,
    ParseError,
    Part,
    Role,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskState,
    TaskStatus,
    Timestamp,
)
from dragoman.wire.codec import decode, decode_json, encode
from tests.unit.wire.strategies import FAST, JSON_VALUES, KINDS, THOROUGH, records

SEND = (
    b'{"message":{"messageId":"m-1","role":"ROLE_USER","parts":[{"text":"hi"}],"metadata":{"n":3}},'
    b'"configuration":{"historyLength":0}}'
)
LARGE_KINDS: list[type[msgspec.Struct]] = [Task, SendMessageRequest, AgentCard]
FAULTS = (ParseError, InvalidParamsError)


def violations_of(kind, data):
    with pytest.raises(InvalidParamsError) as raised:
        decode(kind, data)
    return {violation.field: violation.description for violation in raised.value.violations}


def test_a_typical_message_is_read():
    request = decode(SendMessageRequest, SEND)
    assert request.message == Message(
        message_id="m-1", role=Role.USER, parts=(Part.of_text("hi"),), metadata={"n": 3}
    )
    assert request.configuration is not None
    assert request.configuration.history_length == 0


@pytest.mark.parametrize("wrap", [bytes, memoryview, msgspec.Raw])
def test_any_buffer_is_read(wrap):
    assert decode(SendMessageRequest, wrap(SEND)) == decode(SendMessageRequest, SEND)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_record_survives_the_wire(kind):
    @FAST
    @given(records(kind))
    def check(record):
        assert decode(kind, encode(record)) == record

    check()


def test_required_members_are_printed_and_defaults_are_not():
    """D-09, JSN-09, SPEC 1.1."""
    page = ListTasksResponse(tasks=(), next_page_token="", page_size=0, total_size=0)
    assert encode(page) == b'{"tasks":[],"nextPageToken":"","pageSize":0,"totalSize":0}'
    assert encode(Part.of_data(None)) == b'{"data":null}'


def test_an_unset_and_a_default_value_differ_where_presence_is_explicit():
    """JSN-13."""
    assert decode(Task, b'{"id":"t","status":{"state":"TASK_STATE_WORKING"},"artifacts":[]}').artifacts == ()
    assert (
        encode(decode(Task, b'{"id":"t","status":{"state":"TASK_STATE_WORKING"}}')).count(b"artifacts") == 0
    )


def test_timestamps_are_utc_with_milliseconds():
    """JSN-04, JSN-05, JSN-06, JSN-08."""
    status = decode(
        TaskStatus, b'{"state":"TASK_STATE_WORKING","timestamp":"2026-01-31T14:00:00.123456789+02:00"}'
    )
    assert status.timestamp == Timestamp.parse("2026-01-31T12:00:00.123Z")
    assert b'"2026-01-31T12:00:00.123Z"' in encode(status)


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "soon", "0001-01-01T00:00:00+23:59", ""])
def test_a_timestamp_that_is_none_is_named(text):
    found = violations_of(TaskStatus, b'{"state":"TASK_STATE_WORKING","timestamp":"%b"}' % text.encode())
    assert list(found) == ["timestamp"]
    assert "RFC 3339" in found["timestamp"]


def test_integers_in_free_json_stay_integers():
    """SPEC 1.1: a detour over protobuf would make 3 into 3.0 and corrupt 2^53 + 1."""
    part = decode(Part, b'{"data":{"n":3,"big":9007199254740993}}')
    assert part.data == {"n": 3, "big": 9007199254740993}
    assert encode(part) == b'{"data":{"n":3,"big":9007199254740993}}'


def test_every_problem_of_a_request_is_named():
    """ERR-10, ERR-11."""
    found = violations_of(
        SendMessageRequest,
        b'{"message":{"role":"user","parts":[{"text":5},{"text":"a","url":"b"},7,{"raw":"!"}],"metadata":[]},'
        b'"configuration":{"historyLength":10.5}}',
    )
    assert found == {
        "message.messageId": "is required and missing",
        "message.role": "expected one of ROLE_USER, ROLE_AGENT, found 'user'",
        "message.parts[0].text": "expected a string, found 5",
        "message.parts[1]": "a part has exactly one of 'text', 'raw', 'url' and 'data'",
        "message.parts[2]": "expected an object, found 7",
        "message.parts[3].raw": "expected base64 text, found '!==='",
        "message.metadata": "expected an object, found an array",
        "configuration.historyLength": "expected a 32-bit integer, found 10.5",
    }


def test_empty_is_the_same_as_missing_for_a_required_text():
    """JSN-09."""
    found = violations_of(SendMessageRequest, SEND.replace(b"m-1", b""))
    assert found == {"message.messageId": "expected a non-empty string, found ''"}


@pytest.mark.parametrize(
    "part",
    [b"{}", b'{"text":"a","url":"b"}', b'{"text":null}', b'{"data":null,"text":"a"}', b'{"kind":"text"}'],
)
def test_a_part_has_exactly_one_content(part):
    """D-33, JSN-14."""
    assert list(violations_of(Part, part)) == [""]


def test_a_message_without_parts_is_refused():
    """D-08, JSN-11."""
    found = violations_of(Message, b'{"messageId":"m","role":"ROLE_USER","parts":[]}')
    assert found == {"parts": "expected at least one element, found none"}


def test_a_violation_never_echoes_much_of_the_input():
    found = violations_of(Message, b'{"messageId":"m","role":"%b","parts":[{"text":"x"}]}' % (b"x" * 10_000))
    assert len(found["role"]) < 200


def test_violations_are_limited():
    found = violations_of(Message, b'{"messageId":"m","role":"ROLE_USER","parts":[%b0]}' % (b"0," * 1000))
    assert len(found) == 20


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut short"),
        pytest.param(b"{}}", id="more than one"),
        pytest.param(b"[] []", id="trailing"),
        pytest.param(b"{'a':1}", id="quotes"),
        pytest.param(b'{"a":1,}', id="trailing comma"),
        pytest.param(b"// no\n{}", id="comment"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"\xff\xfe{\x00", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf{}", id="BOM"),
        pytest.param(b'{"message":"\xff"}', id="invalid UTF-8"),
        pytest.param(b'{"message":"\xed\xa0\x80"}', id="surrogate in UTF-8"),
        pytest.param(b'{"message":"\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"message":"\0"}', id="NUL"),
        pytest.param(b"[" * 10_000, id="open arrays"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, id="nested arrays"),
        pytest.param(b'{"metadata":' * 10_000 + b"1" + b"}" * 10_000, id="nested objects"),
        pytest.param(b"9" * 100_000, id="huge integer"),
        pytest.param(b"1e999", id="huge float"),
    ],
)
@pytest.mark.parametrize("kind", [SendMessageRequest, AgentCard])
def test_what_is_not_json_is_a_parse_error(kind, data):
    with pytest.raises(ParseError):
        decode(kind, data)
    with pytest.raises(ParseError):
        decode_json(data)


def test_two_deep_values_that_must_be_compared_are_a_parse_error_at_worst():
    deep = b'{"metadata":' + b'{"a":' * 900 + b"1" + b"}" * 901
    data = b'{"status_update":%b,"statusUpdate":%b}' % (deep, deep)
    with pytest.raises(FAULTS):
        decode(StreamResponse, data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"message":{"parts":[%b]}}' % b",".join([b"{}"] * 50_000), id="many wrong parts"),
        pytest.param(b'{"a":"' + b'task_id\\" : ' * 100_000 + b'"}', id="names in a text"),
        pytest.param(b'{"message":' + b'"task_id"' + b" " * 1_000_000 + b"}", id="name and spaces"),
        pytest.param(b'{"message":{' + b'"task_id":1,' * 100_000 + b'"role":1}}', id="name repeated"),
        pytest.param(b'{"message":{"messageId":"' + b"_" * 1_000_000 + b'"}}', id="underscores"),
    ],
)
def test_hostile_input_takes_bounded_time(data):
    start = time.perf_counter()
    with pytest.raises(FAULTS):
        decode(SendMessageRequest, data)
    assert time.perf_counter() - start < 5


@THOROUGH
@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_arbitrary_bytes_raise_only_declared_errors(kind, data):
    with suppress(*FAULTS):
        decode(kind, data)


@THOROUGH
@given(st.sampled_from(KINDS), JSON_VALUES)
def test_arbitrary_json_raises_only_declared_errors(kind, value):
    with suppress(InvalidParamsError):
        decode(kind, encode(value))


@THOROUGH
@given(st.sampled_from(LARGE_KINDS).flatmap(records), st.data())
def test_mutated_records_raise_only_declared_errors(record, data):
    encoded = bytearray(encode(record))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(0, len(encoded) - 1)))
        encoded[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from(
                [b"", b"null", b'"', b"{", b"]", b"0", b"\xff", b"\\", b"1e9", b"_", b",", b"[[["]
            )
        )
    try:
        again = decode(type(record), bytes(encoded))
    except FAULTS:
        return
    assert decode(type(record), encode(again)) == again


def test_unknown_states_and_lower_case_ones_are_refused():
    """SPEC 1.2."""
    assert TaskState("TASK_STATE_CANCELED") is TaskState.CANCELED
    for state in (b'"working"', b'"TASK_STATE_CANCELLED"', b"9", b"-1", b"true", b"1.5"):
        assert list(violations_of(TaskStatus, b'{"state":%b}' % state)) == ["state"]
