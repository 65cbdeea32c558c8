"""What is refused of a request before anything is done (ERR-09, D-23, I10)."""

import pytest
from msgspec.structs import replace

from dragoman.engine import Limits
from dragoman.model import (
    AgentCard,
    AgentInterface,
    ExtendedAgentCardNotConfiguredError,
    GetExtendedAgentCardRequest,
    InternalError,
    InvalidParamsError,
    Part,
    PermissionDeniedError,
    SendMessageRequest,
    UnsupportedOperationError,
)
from dragoman.model.card import AgentCapabilities
from tests.unit.engine.kit import ANYONE, ScriptedHandler, message, nothing, say, serving

LONG = "x" * 257


@pytest.mark.parametrize(
    "options,field",
    [
        ({"message_id": LONG}, "message.messageId"),
        ({"context_id": LONG}, "message.contextId"),
        ({"task_id": LONG}, "message.taskId"),
        ({"history_length": -1}, "configuration.historyLength"),
    ],
)
async def test_what_is_wrong_with_a_message_is_named(options: dict, field: str):
    async with serving(nothing) as host:
        for attempt in (host.send, host.stream):
            with pytest.raises(InvalidParamsError) as caught:
                await attempt(**options)
            assert [violation.field for violation in caught.value.violations] == [field]
        assert host.handler.admitted == []


async def test_all_that_is_wrong_is_named_at_once():
    async with serving(nothing) as host:
        with pytest.raises(InvalidParamsError) as caught:
            await host.send(message_id=LONG, context_id=LONG, history_length=-1)
        assert len(caught.value.violations) == 3


async def test_ids_at_the_limit_are_taken():
    async with serving(nothing) as host:
        assert (await host.send(message_id=LONG[1:], context_id=LONG[1:])).context_id == LONG[1:]


async def test_too_many_parts_are_refused():
    async with serving(nothing, limits=Limits(max_parts=3)) as host:
        for count, is_fine in ((3, True), (4, False)):
            parts = (Part.of_text("x"),) * count
            request = SendMessageRequest(message=_with_parts(parts))
            if is_fine:
                await host.engine.send(ANYONE, request)
            else:
                with pytest.raises(InvalidParamsError, match="4 parts; 3 at most"):
                    await host.engine.send(ANYONE, request)


def _with_parts(parts: tuple[Part, ...]):
    return replace(message(), parts=parts)


async def test_an_agent_without_an_extended_card_says_so():
    async with serving(nothing, capabilities=AgentCapabilities()) as host:
        with pytest.raises(UnsupportedOperationError):
            await host.engine.get_extended_card(ANYONE, GetExtendedAgentCardRequest())


async def test_an_extended_card_that_is_promised_but_not_there_has_an_error_of_its_own():
    async with serving(nothing) as host:
        with pytest.raises(ExtendedAgentCardNotConfiguredError):
            await host.engine.get_extended_card(ANYONE, GetExtendedAgentCardRequest())


async def test_the_extended_card_is_the_handlers():
    card = AgentCard(
        name="x",
        description="x",
        version="1",
        supported_interfaces=(
            AgentInterface(url="https://x.example", protocol_binding="JSONRPC", protocol_version="1.0"),
        ),
        capabilities=AgentCapabilities(),
        default_input_modes=(),
        default_output_modes=(),
        skills=(),
    )
    async with serving(ScriptedHandler(nothing, card=card)) as host:
        assert await host.engine.get_extended_card(ANYONE, GetExtendedAgentCardRequest()) is card
        host.handler.refusal = PermissionDeniedError()
        with pytest.raises(PermissionDeniedError):
            await host.engine.get_extended_card(ANYONE, GetExtendedAgentCardRequest())
        host.handler.refusal = KeyError("secret")
        with pytest.raises(InternalError) as caught:
            await host.engine.get_extended_card(ANYONE, GetExtendedAgentCardRequest())
        assert "secret" not in str(caught.value)


async def test_a_request_with_no_configuration_has_the_defaults():
    async with serving(nothing) as host:
        reply = await host.engine.send(ANYONE, SendMessageRequest(message=say().message))
        assert reply.task is not None
        assert reply.task.state.is_terminal
