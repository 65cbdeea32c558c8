"""What ProtoJSON parsers accept beyond the strict form (SPEC 1.1)."""

import base64
from typing import Any

import pytest
from hypothesis import given

from dragoman.model import (
    AgentCard,
    GetTaskRequest,
    InvalidParamsError,
    ListTasksResponse,
    Message,
    Part,
    Role,
    SendMessageRequest,
    Task,
    TaskState,
    TaskStatus,
)
from dragoman.wire.codec import decode, decode_json, encode
from dragoman.wire.schema import (
    BYTES,
    Enumeration,
    Fields,
    Items,
    Leaf,
    Shape,
    Values,
    compile_scan,
    shape_of,
)
from tests.unit.wire.strategies import FAST, KINDS, records


def to_proto_style(shape: Shape, value: Any) -> Any:
    """The same JSON with proto names, enum numbers, bare URL-safe base64, and nulls for what is unset."""
    match shape:
        case Leaf():
            return (
                base64.urlsafe_b64encode(base64.b64decode(value)).decode().rstrip("=")
                if shape is BYTES
                else value
            )
        case Enumeration(numbers=numbers):
            return {name: number for number, name in numbers.items()}.get(value, value)
        case Items(item=item):
            return [to_proto_style(item, entry) for entry in value]
        case Values(value=inner):
            return {name: to_proto_style(inner, entry) for name, entry in value.items()}
        case Fields(members=members):
            given = {
                member.proto_name: to_proto_style(member.shape, value[member.name])
                for member in members
                if member.name in value
            }
            unset = {
                member.proto_name: None for member in members if member.proto_name not in given | {"data": 1}
            }
            return given | unset | {"unknownMember": {"task_id": None}}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_record_is_read_in_proto_style(kind):
    @FAST
    @given(records(kind))
    def check(record):
        in_proto_style = to_proto_style(shape_of(kind), decode_json(encode(record)))
        assert decode(kind, encode(in_proto_style)) == record

    check()


def test_an_optional_member_under_its_proto_name_is_not_lost():
    message = decode(
        Message, b'{"messageId":"m","role":"ROLE_USER","parts":[{"text":"a"}],"context_id" : "c"}'
    )
    assert message.context_id == "c"


def test_both_spellings_may_agree():
    message = decode(Message, b'{"messageId":"m","message_id":"m","role":1,"parts":[{"text":"a"}]}')
    assert message.message_id == "m"


def test_null_under_one_spelling_does_not_hide_the_other():
    message = decode(Message, b'{"messageId":"m","message_id":null,"role":1,"parts":[{"text":"a"}]}')
    assert message.message_id == "m"


def test_both_spellings_may_not_differ():
    with pytest.raises(InvalidParamsError, match="messageId: came in camelCase and in snake_case"):
        decode(Message, b'{"messageId":"m","message_id":"n","role":1,"parts":[{"text":"a"}]}')


@pytest.mark.parametrize("number, state", list(enumerate(TaskState)))
def test_states_may_be_numbers(number, state):
    """SPEC 1.2."""
    assert decode(TaskStatus, b'{"state":%d}' % number).state is state


@pytest.mark.parametrize("number, role", [(1, Role.USER), (2, Role.AGENT)])
def test_roles_may_be_numbers(number, role):
    assert decode(Message, b'{"messageId":"m","role":%d,"parts":[{"text":"a"}]}' % number).role is role


@pytest.mark.parametrize("role", [b"0", b'"ROLE_UNSPECIFIED"', b"3", b"true", b"null"])
def test_a_message_needs_a_role(role):
    with pytest.raises(InvalidParamsError, match="role: "):
        decode(Message, b'{"messageId":"m","role":%b,"parts":[{"text":"a"}]}' % role)


@pytest.mark.parametrize("text", [b"-_8=", b"-_8", b"+/8=", b"+/8", b"-/8"])
def test_base64_may_be_url_safe_and_unpadded(text):
    assert decode(Part, b'{"raw":"%b"}' % text).raw == b"\xfb\xff"


@pytest.mark.parametrize("text", [b"a", b"a===", b"=", b"a b=", b"\\u00e9", b"aGk==", b"aG=k"])
def test_other_text_is_no_base64(text):
    with pytest.raises(InvalidParamsError, match="raw: expected base64"):
        decode(Part, b'{"raw":"%b"}' % text)


@pytest.mark.parametrize("number", [b"10", b'"10"', b"10.0", b"1e1", b"1.0E+1"])
def test_integers_may_be_text_or_integral_floats(number):
    assert decode(GetTaskRequest, b'{"id":"t","historyLength":%b}' % number).history_length == 10


@pytest.mark.parametrize(
    "number",
    [
        b"10.5",
        b'"10.5"',
        b'" 10"',
        b'"1_0"',
        b'"0x1"',
        b'""',
        b"2147483648",
        b'"-2147483649"',
        b"1e10",
        b"true",
        b"[]",
        b'"%b"' % (b"9" * 10_000),
        '"١"'.encode(),
    ],
)
def test_other_numbers_are_no_integers(number):
    with pytest.raises(InvalidParamsError, match="historyLength: expected a 32-bit integer"):
        decode(GetTaskRequest, b'{"id":"t","historyLength":%b}' % number)


def test_null_means_unset_except_for_data():
    part = decode(Part, b'{"text":null,"raw":null,"url":null,"data":null,"metadata":null,"filename":null}')
    assert part == Part.of_data(None)


def test_free_json_is_not_touched():
    """Names of the protocol, nulls and numbers inside metadata, data and params are the caller's own."""
    free = {"task_id": 1, "taskId": 2, "role": 1, "raw": "-_", "n": None, "x": 10.0}
    message = {"message_id": "m", "role": 1, "parts": [{"data": free, "metadata": free}], "metadata": free}
    request = decode(SendMessageRequest, encode({"message": message, "metadata": free}))
    assert request.metadata == request.message.metadata == request.message.parts[0].data == free
    assert request.message.parts[0].metadata == free


def test_a_names_lookalike_in_free_json_changes_nothing():
    data = (
        b'{"messageId":"m","role":"ROLE_USER","parts":[{"data":{"task_id":"x"}}],"metadata":{"context_id":1}}'
    )
    message = decode(Message, data)
    assert message.task_id == message.context_id == ""
    assert message.parts[0].data == {"task_id": "x"}


def test_a_page_without_its_empty_members_is_read():
    """D-09: a stock protobuf printer leaves them out."""
    page = ListTasksResponse(tasks=(), next_page_token="", page_size=0, total_size=0)
    assert decode(ListTasksResponse, b"{}") == page


def test_a_card_without_empty_lists_is_read():
    """D-08."""
    card = decode(
        AgentCard,
        b'{"name":"n","description":"d","version":"1","capabilities":{},"skills":[{"id":"s","name":"n","description":"d"}],'
        b'"supportedInterfaces":[{"url":"u","protocolBinding":"JSONRPC","protocolVersion":"1.0"}]}',
    )
    assert card.default_input_modes == card.skills[0].tags == ()


def test_unknown_members_are_ignored():
    """JSN-12."""
    assert decode(Task, b'{"id":"t","kind":"task","status":{"state":2,"final":true}}').id == "t"


@pytest.mark.parametrize(
    "text, is_found",
    [
        (b'{"context_id":1}', True),
        (b'{"context_id" \n:1}', True),
        (b'{"my_context_id":1}', False),
        (b'{"context_id_":1}', False),
        (b'{"x":"context_id"}', False),
        (b'{"x":"{\\"context_id\\":1}"}', False),
        (b'{"user_id":1}', False),
        (b'{"reference_task_ids":1}', True),
    ],
)
def test_the_scan_finds_proto_names_of_members_and_nothing_else(text, is_found):
    assert (compile_scan(shape_of(Message))(text) is not None) is is_found
