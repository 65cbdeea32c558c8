"""Messages of `a2a.v1` (SPEC 7.5): what is read and printed, whatever comes."""

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dragoman.model import (
    A2AError,
    AgentCard,
    CancelTaskRequest,
    GetExtendedAgentCardRequest,
    GetTaskRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    SendMessageResponse,
    StreamResponse,
    Task,
    UnsupportedOperationError,
    operations,
)
from dragoman.wire.grpc import older
from dragoman.wire.grpc.plain import UnsayableError
from dragoman.wire.grpc.schema import find_old_classes
from tests.unit.wire.strategies import FAST, THOROUGH, records

CALLS = list(older.METHODS.items())


def test_every_method_of_0_3_has_its_messages():
    assert len(CALLS) == 10
    for name, operation in CALLS:
        taken, answered = find_old_classes(name)
        assert taken.DESCRIPTOR.full_name.startswith("a2a.v1.")
        assert answered is not None
        assert older.method_of(operation) == name


def test_what_0_3_has_not_is_refused_before_anything_is_sent():
    with pytest.raises(UnsupportedOperationError):
        older.dump_request(operations.LIST_TASKS, ListTasksRequest())


@pytest.mark.parametrize("data", [b"", b"aGk=", b"aGkK", bytes(range(256)), b"\xff"])
def test_bytes_come_back_though_they_are_written_as_text(data):
    part = Part.of_bytes(data, media_type="application/octet-stream")
    request = SendMessageRequest(message=Message(message_id="m", role=Role.USER, parts=(part,)))
    sent = older.dump_request(operations.SEND_MESSAGE, request)
    read = older.load_request(operations.SEND_MESSAGE, sent)
    assert isinstance(read, SendMessageRequest)
    assert read.message.parts[0].raw == data


def test_bytes_of_those_who_send_bytes_are_read_too():
    taken, _ = find_old_classes("SendMessage")
    file = {"file_with_bytes": b"\x00\xff\x80", "mime_type": "image/png"}
    message = taken(request={"message_id": "m", "role": "ROLE_USER", "content": [{"file": file}]})
    read = older.load_request(operations.SEND_MESSAGE, message.SerializeToString())
    assert isinstance(read, SendMessageRequest)
    assert read.message.parts[0].raw == b"\x00\xff\x80"
    assert read.configuration is not None
    assert read.configuration.return_immediately  # a plain proto bool


@pytest.mark.parametrize(
    "operation, request_",
    [
        (operations.GET_TASK, GetTaskRequest(id="t", history_length=3)),
        (operations.CANCEL_TASK, CancelTaskRequest(id="t")),
        (operations.GET_EXTENDED_CARD, GetExtendedAgentCardRequest()),
    ],
)
def test_requests_come_back(operation, request_):
    assert older.load_request(operation, older.dump_request(operation, request_)) == request_


@FAST
@given(records(Task), records(StreamResponse))
def test_tasks_and_events_survive_a_second_time_as_the_first(task, event):
    """What 0.3 has no word for is lost once, and nothing more after that."""
    assume("UNSPECIFIED" not in repr((task, event)))
    try:
        once = older.load_result(operations.GET_TASK, older.dump_result(operations.GET_TASK, task))
        seen = older.load_event(older.dump_event(event))
    except UnsayableError:
        return
    assert older.load_result(operations.GET_TASK, older.dump_result(operations.GET_TASK, once)) == once
    assert older.load_event(older.dump_event(seen)) == seen


@FAST
@given(records(AgentCard))
def test_cards_keep_their_security(card):
    assume(card.supported_interfaces)
    operation = operations.GET_EXTENDED_CARD
    read = older.load_result(operation, older.dump_result(operation, card))
    assert isinstance(read, AgentCard)
    again = older.load_result(operation, older.dump_result(operation, read))
    assert isinstance(again, AgentCard)
    assert (again.security_schemes, again.security_requirements, again.skills) == (
        read.security_schemes,
        read.security_requirements,
        read.skills,
    )


@THOROUGH
@given(st.sampled_from(CALLS), st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused_in_the_protocol_s_words(call, data):
    _, operation = call
    for load in (older.load_request, older.load_result):
        with suppress(A2AError):
            assert load(operation, data) is not None
    with suppress(A2AError):
        assert older.load_event(data) is not None


def test_an_answer_may_be_a_message():
    message = Message(message_id="m", role=Role.AGENT, parts=(Part.of_text("hi"),))
    data = older.dump_result(operations.SEND_MESSAGE, SendMessageResponse(message=message))
    assert older.load_result(operations.SEND_MESSAGE, data) == SendMessageResponse(message=message)
