"""What a dialect says it also understands: every record comes back, but for what `sayable` takes out."""

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from msgspec.structs import replace

from dragoman.model import (
    AgentCard,
    AgentInterface,
    GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsResponse,
    SendMessageRequest,
    SendMessageResponse,
    StreamResponse,
    Task,
    TaskPushNotificationConfig,
    operations,
    wrap_event,
)
from dragoman.wire import codec
from dragoman.wire.dialects import EITHER, PROTO, dialect_named, load_card, merged_card
from dragoman.wire.dialects.cards import dump_card
from tests.unit.wire.dialects import sayable
from tests.unit.wire.strategies import records

ROUNDS = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

OLD = ["0.3", "0.2", PROTO, "0.1"]

by_dialect = pytest.mark.parametrize("name", OLD)


def through_json(value):
    return codec.decode_json(codec.encode(value))


@pytest.mark.parametrize("name", [*OLD, "1.0", EITHER])
def test_a_dialect_has_the_name_that_it_is_found_by(name):
    assert dialect_named(name).name == name


@by_dialect
def test_what_a_generation_cannot_say_is_written_down(name):
    assert sayable.LOSSES[name]


@by_dialect
@ROUNDS
@given(task=records(Task))
def test_a_task_comes_back(name, task):
    dialect = dialect_named(name)
    told = through_json(dialect.dump_result(operations.GET_TASK, task))
    assert dialect.load_result(operations.GET_TASK, told) == sayable.task(task, name)


@pytest.mark.parametrize("name", ["0.3", "0.2", PROTO])
@ROUNDS
@given(reply=records(SendMessageResponse))
def test_a_reply_comes_back(name, reply):
    dialect = dialect_named(name)
    told = through_json(dialect.dump_result(operations.SEND_MESSAGE, reply))
    loaded = dialect.load_result(operations.SEND_MESSAGE, told)
    assert isinstance(loaded, SendMessageResponse)
    if reply.task is not None:
        assert loaded.task == sayable.task(reply.task, name)
    else:
        assert loaded.message == sayable.message(reply.message, name)


@by_dialect
@ROUNDS
@given(event=records(StreamResponse))
def test_an_event_comes_back(name, event):
    dialect = dialect_named(name)
    told = [through_json(one) for one in dialect.dump_event(event)]
    loaded = [dialect.load_event(one) for one in told]
    if event.status_update is not None:
        assert loaded == [wrap_event(sayable.status_update(event.status_update, name))]
    elif event.artifact_update is not None:
        assert loaded == [wrap_event(sayable.artifact_update(event.artifact_update, name))]
    elif name == "0.1":
        assert all(one.status_update or one.artifact_update for one in loaded)
    elif event.task is not None:
        assert loaded == [wrap_event(sayable.task(event.task, name))]
    else:
        assert loaded == [wrap_event(sayable.message(event.message, name))]


@ROUNDS
@given(event=records(StreamResponse))
def test_what_is_written_for_both_says_the_same_to_a_reader_of_0_3(event):
    [told] = dialect_named(EITHER).dump_event(event)
    [plain] = dialect_named("0.3").dump_event(event)
    assert dialect_named("0.3").load_event(through_json(told)) == dialect_named("0.3").load_event(
        through_json(plain)
    )


@by_dialect
@ROUNDS
@given(request=records(SendMessageRequest))
def test_a_send_comes_back(name, request):
    assume(name != "0.1" or request.message.task_id)
    dialect = dialect_named(name)
    for operation in (operations.SEND_MESSAGE, operations.SEND_STREAMING_MESSAGE):
        told = through_json(dialect.dump_request(operation, request))
        assert dialect.load_request(operation, told) == sayable.send(request, name)


@by_dialect
@ROUNDS
@given(config=records(TaskPushNotificationConfig))
def test_a_webhook_comes_back(name, config):
    assume(config.id and config.task_id and "/" not in config.id + config.task_id and config.id != "None")
    dialect = dialect_named(name)
    told = through_json(dialect.dump_request(operations.CREATE_PUSH_CONFIG, config))
    assert dialect.load_request(operations.CREATE_PUSH_CONFIG, told) == sayable.push(config)
    told = through_json(dialect.dump_result(operations.CREATE_PUSH_CONFIG, config))
    assert dialect.load_result(operations.CREATE_PUSH_CONFIG, told) == sayable.push(config)


@pytest.mark.parametrize("name", ["0.3", "0.2", PROTO])
@ROUNDS
@given(config=records(TaskPushNotificationConfig))
def test_a_list_of_webhooks_comes_back(name, config):
    assume(config.id and config.task_id and "/" not in config.id + config.task_id and config.id != "None")
    dialect = dialect_named(name)
    told = dialect.dump_result(
        operations.LIST_PUSH_CONFIGS, ListTaskPushNotificationConfigsResponse(configs=(config,))
    )
    loaded = dialect.load_result(operations.LIST_PUSH_CONFIGS, through_json(told))
    assert isinstance(loaded, ListTaskPushNotificationConfigsResponse)
    assert loaded.configs == (sayable.push(config),)


QUERIES = [operations.GET_TASK, operations.CANCEL_TASK, operations.SUBSCRIBE_TO_TASK]


@by_dialect
@pytest.mark.parametrize("operation", QUERIES, ids=lambda operation: operation.name)
def test_a_question_about_a_task_comes_back(name, operation):
    dialect = dialect_named(name)
    request = operation.request(id="t-1")
    assert dialect.load_request(operation, through_json(dialect.dump_request(operation, request))) == request


@pytest.mark.parametrize("name", ["0.3", "0.2", PROTO])
def test_a_question_about_a_webhook_comes_back(name):
    dialect = dialect_named(name)
    request = GetTaskPushNotificationConfigRequest(task_id="t-1", id="c-1")
    told = through_json(dialect.dump_request(operations.GET_PUSH_CONFIG, request))
    assert dialect.load_request(operations.GET_PUSH_CONFIG, told) == request


@by_dialect
@ROUNDS
@given(task=records(Task))
def test_the_body_of_a_webhook_comes_back(name, task):
    dialect = dialect_named(name)
    loaded = dialect.load_webhook(through_json(dialect.dump_webhook(task)))
    # A webhook does not know how its caller came: what REST registered is told as JSON-RPC would be.
    assert loaded.task == sayable.task(task, "0.3" if name == PROTO else name)


def with_old_interface(card):
    old = AgentInterface(url="http://old.example/", protocol_binding="JSONRPC", protocol_version="0.3")
    return replace(card, supported_interfaces=(*card.supported_interfaces, old))


@ROUNDS
@given(card=records(AgentCard))
def test_a_reader_of_1_0_finds_its_card_in_the_merged_one(card):
    card = with_old_interface(card)
    assert load_card(through_json(merged_card(card))) == card


@ROUNDS
@given(card=records(AgentCard))
def test_the_merged_card_has_every_member_that_a_reader_of_0_3_asks_for(card):
    card = with_old_interface(card)
    merged = merged_card(card)
    for name, value in dump_card(card, dialect_named("0.3").generation).items():
        if name == "securitySchemes":
            assert all(merged[name][key].items() >= scheme.items() for key, scheme in value.items())
        elif name == "skills":
            assert all(own.items() >= old.items() for own, old in zip(merged[name], value, strict=True))
        elif name == "capabilities":
            assert merged[name].items() >= value.items()
        else:
            assert merged[name] == value, name


@pytest.mark.parametrize("name", ["0.3", "0.2", "0.1"])
@ROUNDS
@given(card=records(AgentCard))
def test_a_card_comes_back_with_what_an_old_one_can_say(name, card):
    card = with_old_interface(card)
    loaded = load_card(through_json(dialect_named(name).dump_card(card)))
    assert (loaded.name, loaded.version, loaded.provider) == (card.name, card.version, card.provider)
    assert [skill.id for skill in loaded.skills] == [skill.id for skill in card.skills]
    assert loaded.capabilities.streaming == card.capabilities.streaming
    assert {interface.protocol_version for interface in loaded.supported_interfaces} == {name}


def test_a_card_without_an_older_interface_is_not_merged():
    interface = AgentInterface(url="http://new.example/", protocol_binding="JSONRPC", protocol_version="1.0")
    card = msgspec.convert(
        {
            "name": "n",
            "description": "d",
            "version": "1",
            "capabilities": {},
            "defaultInputModes": [],
            "defaultOutputModes": [],
            "skills": [],
            "supportedInterfaces": [msgspec.to_builtins(interface)],
        },
        AgentCard,
    )
    assert merged_card(card) == through_json(card)
