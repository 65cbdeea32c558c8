"""Which extensions are active, and that their hooks can break nothing."""

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dragoman.engine.extension import Extension, Named
from dragoman.engine.extensions import MAX_METADATA_BYTES, Extensions
from dragoman.engine.handler import Call
from dragoman.engine.own_extensions import OWN
from dragoman.model import (
    AgentCapabilities,
    AgentCard,
    AgentExtension,
    InternalError,
    InvalidParamsError,
    Message,
    Part,
    Role,
    SendMessageRequest,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)

URI = "https://example.com/extensions/receipts/v1"
MESSAGE = Message(message_id="m", role=Role.USER, parts=(Part.of_text("hi"),), metadata={"mine": 1})
EVENT = TaskStatusUpdateEvent(
    task_id="t", context_id="c", status=TaskStatus(state=TaskState.WORKING), metadata={"progress": 0.5}
)
CARD = AgentCard(
    name="A",
    description="a",
    supported_interfaces=(),
    version="1",
    capabilities=AgentCapabilities(),
    default_input_modes=(),
    default_output_modes=(),
    skills=(),
)


class Receipts(Extension):
    uri = URI

    def __init__(self, **hooks: Any) -> None:
        for name, value in hooks.items():
            setattr(self, name, value)


def call(*uris: str) -> Call:
    return Call(extensions=uris)


def raise_it(*_: Any) -> Any:
    raise RuntimeError("the password is hunter2")


def annotate(extension: Extension) -> Any:
    one = Extensions([extension]).annotator(call(URI))
    return EVENT.metadata if one is None else one(EVENT)


def test_what_is_known_and_asked_for_is_active_in_the_order_asked_for():
    known = Extensions([Receipts(), AgentExtension(uri="urn:b"), AgentExtension(uri="urn:c")])
    assert known.activate(call("urn:c", "urn:nobody", URI, "urn:c")).extensions == ("urn:c", URI)
    assert known.activate(Call()).extensions == ()


def test_another_version_is_another_extension():
    assert Extensions([Receipts()]).activate(call(URI.replace("v1", "v2"))).extensions == ()


def test_one_is_nothing_without_what_it_requires():
    chain: list[Named] = [
        Receipts(requires=("urn:b",)),
        Receipts(uri="urn:b", requires=("urn:c",)),
        AgentExtension(uri="urn:c"),
    ]
    known = Extensions(chain)
    assert known.activate(call(URI, "urn:b")).extensions == ()
    assert known.activate(call(URI, "urn:b", "urn:c")).extensions == (URI, "urn:b", "urn:c")


@given(st.lists(st.sampled_from(["urn:a", "urn:b", "urn:c", "urn:x"])))
def test_what_is_active_was_asked_for_and_is_known(asked):
    known = Extensions(
        [Receipts(uri="urn:a", requires=("urn:b",)), AgentExtension(uri="urn:b"), AgentExtension(uri="urn:c")]
    )
    active = known.activate(call(*asked)).extensions
    assert set(active) <= set(asked) & {"urn:a", "urn:b", "urn:c"}
    assert len(set(active)) == len(active)
    assert "urn:a" not in active or "urn:b" in active


def test_an_extension_may_decline_a_call_or_refuse_it():
    assert Extensions([Receipts(activate=lambda call: False)]).activate(call(URI)).extensions == ()

    def refuse(call: Call) -> bool:
        raise InvalidParamsError("no receipts for strangers")

    with pytest.raises(InvalidParamsError, match="strangers"):
        Extensions([Receipts(activate=refuse)]).activate(call(URI))


def test_one_that_cannot_be_activated_is_left_out_unless_it_is_required(caplog):
    assert Extensions([Receipts(activate=raise_it)]).activate(call(URI)).extensions == ()
    with pytest.raises(InternalError) as caught:
        Extensions([Receipts(activate=raise_it, required=True)]).activate(call(URI))
    assert "hunter2" not in caught.value.message
    assert "hunter2" in caplog.text


def test_a_message_can_change_in_its_metadata_only():
    def hear(message: Message) -> Message:
        return replace(message, message_id="other", parts=(Part.of_text("bye"),), metadata={"seen": True})

    request = SendMessageRequest(message=MESSAGE)
    heard = Extensions([Receipts(on_message=hear)]).receive(call(URI), request)
    assert heard.message == replace(MESSAGE, metadata={"seen": True})
    assert Extensions([Receipts(on_message=hear)]).receive(call(), request) is request


@pytest.mark.parametrize(
    "given", [raise_it, lambda message: "text", lambda message: replace(message, metadata={"x": object()})]
)
def test_a_hook_that_fails_on_a_message_changes_nothing(given, caplog):
    request = SendMessageRequest(message=MESSAGE)
    assert Extensions([Receipts(on_message=given)]).receive(call(URI), request) == request
    assert "on_message" in caplog.text


def test_a_message_that_does_not_fit_the_extension_is_refused():
    def refuse(message: Message) -> None:
        raise InvalidParamsError("a receipt needs a number")

    with pytest.raises(InvalidParamsError, match="number"):
        Extensions([Receipts(on_message=refuse)]).receive(call(URI), SendMessageRequest(message=MESSAGE))


def test_an_event_gets_metadata_under_the_uri_beside_its_own():
    added = annotate(Receipts(on_event=lambda event: {URI: {"number": 7}, f"{URI}/paid": True}))
    assert added == {"progress": 0.5, URI: {"number": 7}, f"{URI}/paid": True}


def test_an_event_does_not_change_with_what_its_extension_keeps():
    kept: dict[str, Any] = {"number": 7}
    added = annotate(Receipts(on_event=lambda event: {URI: kept}))
    kept["number"] = object()
    assert added[URI] == {"number": 7}


@pytest.mark.parametrize(
    "hook",
    [
        raise_it,
        lambda event: {"progress": 1.0},
        lambda event: {f"{URI}x": 1},
        lambda event: {URI: object()},
        lambda event: {URI: "x" * MAX_METADATA_BYTES},
        lambda event: 5,
        lambda event: {URI: nest(200)},
        lambda event: {URI: nest(100_000)},
    ],
)
def test_a_hook_that_fails_on_an_event_adds_nothing(hook, caplog):
    caplog.set_level(logging.ERROR)
    assert annotate(Receipts(on_event=hook)) == {"progress": 0.5}
    assert "on_event" in caplog.text


def nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_a_card_may_be_changed_and_a_hook_that_fails_leaves_it(caplog):
    shown = Extensions([Receipts(on_card=lambda card: replace(card, description="b"))]).show(CARD)
    assert shown.description == "b"
    for bad in (raise_it, lambda card: "card"):
        assert Extensions([Receipts(on_card=bad)]).show(CARD) == CARD
    assert [record.getMessage().startswith("on_card") for record in caplog.records] == [True, True]


def test_an_object_needs_no_more_than_a_uri():
    class Bare:
        uri = "urn:bare"

    known = Extensions([Bare()])
    assert known.declarations == (AgentExtension(uri="urn:bare"),)
    assert known.activate(call("urn:bare")).extensions == ("urn:bare",)
    assert known.annotator(call("urn:bare")) is None


@pytest.mark.parametrize("uri", ["", "receipts", "urn:a,b", "urn:a b", "urn:é", "urn:a\n", None, 5])
def test_what_is_no_uri_is_refused(uri):
    with pytest.raises(ValueError, match="has a 'uri'"):
        Extensions([Receipts(uri=uri)])


def test_two_of_one_uri_and_hooks_that_wait_are_refused():
    async def wait(event: Any) -> None: ...

    with pytest.raises(ValueError, match="twice"):
        Extensions([Receipts(), Receipts()])
    with pytest.raises(ValueError, match="hooks do not wait"):
        Extensions([Receipts(on_event=wait)])
    with pytest.raises(TypeError):
        Extensions([Receipts(params={"x": object()})])


def test_our_own_have_a_version_and_are_not_required():
    for one in OWN:
        assert one.uri.endswith("/v1")
        assert one.description
        assert not one.required
