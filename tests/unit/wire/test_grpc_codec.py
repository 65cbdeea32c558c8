"""Records from and to protobuf (SPEC 1.1)."""

import math
from contextlib import suppress

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import assume, given
from hypothesis import strategies as st

from dragoman.model import (
    JSON,
    Artifact,
    FieldViolation,
    GetTaskRequest,
    InvalidParamsError,
    InvalidRequestError,
    ListTasksRequest,
    ListTasksResponse,
    Message,
    Part,
    Record,
    Role,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskState,
    TaskStatus,
    Timestamp,
)
from dragoman.wire import codec as json_codec
from dragoman.wire.grpc import plain
from dragoman.wire.grpc.codec import decode, encode
from dragoman.wire.grpc.plain import UnsayableError
from dragoman.wire.grpc.schema import find_class
from tests.unit.wire.strategies import FAST, JSON_VALUES, KINDS, NUMBERS, THOROUGH, records

MESSAGES = [kind for kind in KINDS if kind is not FieldViolation]


def make_task(data: JSON) -> Task:
    artifact = Artifact(artifact_id="a", parts=(Part.of_data(data),))
    return Task(id="t", status=TaskStatus(state=TaskState.WORKING), artifacts=(artifact,))


def data_of(task):
    return task.artifacts[0].parts[0].data


def send_message(**members):
    """A message of protobuf with what every request needs."""
    request = find_class("SendMessageRequest")()
    request.message.message_id = "m"
    request.message.role = 1
    request.message.parts.add().text = "x"
    return request


def violations_of(kind, data):
    with pytest.raises(InvalidParamsError) as raised:
        decode(kind, data)
    return {violation.field: violation.description for violation in raised.value.violations}


def plain_of(record):
    """What the record says, where an empty list of artifacts and none are one thing (D-10)."""
    text = msgspec.json.decode(json_codec.encode(record))
    return _without_empty_artifacts(text)


def _without_empty_artifacts(value):
    match value:
        case dict():
            return {
                name: _without_empty_artifacts(member)
                for name, member in value.items()
                if not (name == "artifacts" and member == [])
            }
        case list():
            return [_without_empty_artifacts(member) for member in value]
        case _:
            return value


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_record_survives_protobuf_unless_it_is_said_why_not(kind):
    @FAST
    @given(records(kind))
    def check(record: Record) -> None:
        assume("UNSPECIFIED" not in repr(record))  # a REQUIRED state of 0 is no state
        data, said = b"", ""
        try:
            data = encode(record, exact=True)
        except UnsayableError as error:
            said = str(error)
        if said:
            assert "none equals" in said
            return
        assert plain_of(decode(kind, data)) == plain_of(record)

    check()


@pytest.mark.parametrize("kind", [Task, SendMessageRequest, StreamResponse], ids=lambda kind: kind.__name__)
def test_what_is_encoded_is_what_stock_protobuf_reads(kind):
    @FAST
    @given(records(kind))
    def check(record: Record) -> None:
        assume("UNSPECIFIED" not in repr(record))
        message = find_class(kind.__name__).FromString(encode(record))
        # Read as ProtoJSON prints it, it is the same record, but for numbers that no double equals.
        again = json_codec.convert(kind, MessageToDict(message))
        assert plain_of(again) == plain_of(decode(kind, encode(record)))

    check()


@THOROUGH
@given(NUMBERS)
def test_a_number_is_kept_or_refused(number):
    if float(number) == number:
        back = data_of(decode(Task, encode(make_task(number), exact=True)))
        assert back == number
        assert isinstance(back, int) == (float(number).is_integer() and -(2**63) <= number < 2**63)
    else:
        with pytest.raises(UnsayableError, match="none equals"):
            encode(make_task(number), exact=True)


def test_a_number_that_no_double_equals_is_rounded_where_it_may_be():
    assert data_of(decode(Task, encode(make_task(2**53 + 1)))) == 2**53


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_of_json_becomes_null_like_in_json(number):
    assert data_of(decode(Task, encode(make_task({"x": number})))) == {"x": None}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_peer_s_number_that_json_lacks_is_refused_where_it_stands(number):
    request = send_message()
    value = request.message.parts.add().data.struct_value.fields["deep"].list_value.values.add()
    value.number_value = number
    found = violations_of(SendMessageRequest, request.SerializeToString())
    assert found == {"message.parts[1].data.deep[0]": f"expected a number, found {number}"}


@pytest.mark.parametrize(
    "break_it, field",
    [
        (lambda request: request.message.ClearField("message_id"), "message.messageId"),
        (lambda request: setattr(request.message, "role", 7), "message.role"),
        (lambda request: setattr(request.message, "role", 0), "message.role"),
        (lambda request: request.message.ClearField("parts"), "message.parts"),
        (lambda request: request.message.parts[0].ClearField("text"), "message.parts[0]"),
        (lambda request: request.ClearField("message"), "message"),
    ],
)
def test_what_does_not_fit_is_told_as_in_json(break_it, field):
    request = send_message()
    break_it(request)
    found = violations_of(SendMessageRequest, request.SerializeToString())
    with pytest.raises(InvalidParamsError) as raised:
        json_codec.convert(SendMessageRequest, MessageToDict(request))
    assert list(found) == [field] == [violation.field for violation in raised.value.violations]


def test_bytes_are_no_problem_where_something_else_is():
    request = send_message()
    request.message.parts.add().raw = b"\xff\x00"
    request.message.ClearField("message_id")
    assert list(violations_of(SendMessageRequest, request.SerializeToString())) == ["message.messageId"]


@pytest.mark.parametrize("seconds, nanos", [(10**15, 0), (-(10**15), 0), (0, -1), (0, 2_000_000_000)])
def test_a_time_that_is_none_is_refused(seconds, nanos):
    request = find_class("ListTasksRequest")()
    request.status_timestamp_after.seconds = seconds
    request.status_timestamp_after.nanos = nanos
    assert list(violations_of(ListTasksRequest, request.SerializeToString())) == ["statusTimestampAfter"]


def test_a_time_is_cut_to_milliseconds():
    request = find_class("ListTasksRequest")()
    request.status_timestamp_after.FromJsonString("2026-11-22T15:04:05.123987Z")
    found = decode(ListTasksRequest, request.SerializeToString())
    assert found.status_timestamp_after == Timestamp.parse("2026-11-22T15:04:05.123Z")


def test_unset_and_zero_are_told_apart_where_the_protocol_does():
    assert decode(GetTaskRequest, encode(GetTaskRequest(id="t"))).history_length is None
    assert decode(GetTaskRequest, encode(GetTaskRequest(id="t", history_length=0))).history_length == 0


def test_required_members_that_protobuf_leaves_out_are_empty():
    assert decode(ListTasksResponse, b"") == ListTasksResponse(
        tasks=(), next_page_token="", page_size=0, total_size=0
    )


def test_members_that_nobody_knows_are_ignored():
    known = send_message().SerializeToString()
    unknown = b"\xfa\x3e\x03abc"  # field 1007, a text
    assert decode(SendMessageRequest, known + unknown) == decode(SendMessageRequest, known)


@pytest.mark.parametrize("wrap", [lambda value: {"a": value}, lambda value: [value]], ids=["object", "array"])
def test_what_is_encoded_is_never_nested_too_deep_to_be_read(wrap):
    value: JSON = 1
    refused_at = 0
    for depth in range(1, 80):
        value = wrap(value)
        try:
            data = encode(make_task(value))
        except UnsayableError:
            refused_at = refused_at or depth
        else:
            assert not refused_at
            assert data_of(decode(Task, data)) == value
    assert 30 < refused_at < 60


def test_one_level_more_could_not_be_read(monkeypatch):
    """The limit is protobuf's, and not a guess at it."""
    value: JSON = 1
    while True:
        value = {"a": value}
        try:
            encode(make_task(value))
        except UnsayableError:
            break
    monkeypatch.setattr(plain, "MAX_NESTING", 10_000)
    with pytest.raises(InvalidRequestError, match="nested too deep"):
        decode(Task, encode(make_task(value)))


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
def test_text_that_is_no_unicode_is_refused(text):
    message = Message(message_id="m", role=Role.USER, parts=(Part.of_text(text),))
    with pytest.raises(UnsayableError):
        encode(SendMessageRequest(message=message))


def test_bytes_in_data_are_base64_as_in_json():
    assert data_of(decode(Task, encode(make_task({"raw": b"\xff"})))) == {"raw": "/w=="}


@THOROUGH
@given(st.binary(max_size=200), st.sampled_from(MESSAGES))
def test_any_bytes_are_read_or_refused(data, kind):
    with suppress(InvalidParamsError, InvalidRequestError):
        decode(kind, data)


@THOROUGH
@given(records(SendMessageRequest), st.data())
def test_a_request_with_broken_bytes_is_read_or_refused(record, data):
    whole = bytearray(encode(record))
    assume(whole)
    for _ in range(3):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InvalidParamsError, InvalidRequestError):
        decode(SendMessageRequest, bytes(whole))


@FAST
@given(JSON_VALUES)
def test_free_json_is_kept_as_stock_protobuf_keeps_it(value):
    message = find_class("Task").FromString(encode(make_task(value)))
    assert MessageToDict(message.artifacts[0].parts[0])["data"] == data_of(
        decode(Task, encode(make_task(value)))
    )
