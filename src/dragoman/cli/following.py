"""Reading an answer to its end."""

from collections.abc import Callable

from dragoman.cli.exits import Exit
from dragoman.cli.output import Output
from dragoman.cli.telling import Teller
from dragoman.client import Client, EventStream
from dragoman.model import Event, Message, Task, TaskState, wrap_event


async def follow(
    events: EventStream, on_event: Callable[[Event], None], *, prior: Task | None = None
) -> Task | Message:
    """What the events have come to, once nothing more comes without the caller; `on_event` sees each of them.

    `prior` is the task that the caller has just answered: until something changes, it only looks as if it waited.
    """
    if prior is not None:
        events.view.apply(prior)
        events.view.mark_answered()
    async with events:
        async for event in events:
            on_event(event)
            if events.view.is_interrupted:
                break
    answer = events.view.message or events.view.task
    assert answer is not None  # a stream brings a task or a message, or it raises
    return answer


async def tail_task(client: Client, task_id: str, out: Output) -> Exit:
    """Tell what becomes of a task until it ends, whoever answers what it asks meanwhile."""
    teller = Teller(out)
    state = TaskState.UNSPECIFIED
    events = client.subscribe(task_id)
    async with events:
        async for event in events:
            out.line(wrap_event(event))
            teller.tell(event)
            if events.view.state is not state:
                state = events.view.state
                teller.tell_state(events.view.status)
    assert events.view.task is not None  # a stream brings a task, or it raises
    return teller.finish(events.view.task)
