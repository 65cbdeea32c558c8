"""Requests as the generations before 1.0 mean them (SPEC 7.3, 7.4). No input or output."""

from typing import TypeVar

from msgspec.structs import replace

from dragoman.model import (
    Generation,
    GetTaskRequest,
    Record,
    SendMessageConfiguration,
    SendMessageRequest,
    SendMessageResponse,
    Task,
)

R = TypeVar("R", bound=Record)


def adapt_request(request: Record, generation: Generation) -> Record:
    """The request with everything said that 1.0 leaves to its defaults.

    A send says whether it waits, for what a send does that does not say so is the agent's choice. In 0.1 the caller names the task:
    after the message, so that a send that is repeated is about the same task.
    """
    match request:
        case SendMessageRequest():
            configuration = request.configuration or SendMessageConfiguration()
            request = replace(request, configuration=_drop_zero(configuration))
            return _name_task(request) if generation is Generation.V0_1 else request
        case GetTaskRequest():
            return _drop_zero(request)
        case _:
            return request


def _drop_zero(holder: R) -> R:
    """0 sets no limit before 1.0: what is too much is left out of the answer, by `adapt_result`."""
    return replace(holder, history_length=None) if _wants_no_history(holder) else holder


def _wants_no_history(holder: Record | None) -> bool:
    return getattr(holder, "history_length", None) == 0


def _name_task(request: SendMessageRequest) -> SendMessageRequest:
    message = request.message
    if message.task_id:
        return request
    name = message.message_id
    return replace(request, message=replace(message, task_id=name, context_id=message.context_id or name))


def adapt_result(request: Record, result: Record) -> Record:
    """The result without the history that nobody asked for."""
    if not _wants_no_history(request.configuration if isinstance(request, SendMessageRequest) else request):
        return result
    match result:
        case Task():
            return replace(result, history=())
        case SendMessageResponse(task=Task() as task):
            return replace(result, task=replace(task, history=()))
        case _:
            return result
