"""What the hooks of extensions add lies on the log, once."""

from typing import Any

from msgspec.structs import replace

from dragoman.engine.extension import Extension
from dragoman.engine.extensions import Extensions
from dragoman.engine.handler import Call, Turn
from dragoman.model import Event, Message, Part, Task, TaskState
from tests.unit.engine.kit import (
    COMPLETED,
    WORKING,
    ScriptedHandler,
    Vault,
    drain,
    say,
    serving,
    until,
    write,
)

URI = "urn:counter/v1"
ASKING = Call(extensions=(URI,))


class Counter(Extension):
    """Numbers every event, so that no two calls of the hook give the same."""

    uri = URI

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_event(self, event: Event) -> dict[str, Any]:
        self.events.append(event)
        return {URI: len(self.events)}


async def test_every_kind_of_event_is_annotated_and_read_alike_by_all() -> None:
    async def work(turn: Turn) -> None:
        turn.status(WORKING, turn.compose([Part.of_text("half")]), metadata={"progress": 0.5})
        write(turn, "result")

    counter = Counter()
    async with serving(work, extensions=Extensions([counter])) as host:
        items = await drain(await host.stream(call=ASKING))
        task = items[0].event.task
        assert task is not None
        numbers = [item.event.payload.metadata for item in items]
        assert numbers == [{URI: 1}, {URI: 2}, {"progress": 0.5, URI: 3}, {URI: 4}, {URI: 5}]
        assert (await host.get(task.id)).metadata == {"progress": 0.5, URI: 5}
        assert (await host.get(task.id)).state is COMPLETED
        plain = await drain(await host.stream())
        assert all(item.event.payload.metadata in (None, {"progress": 0.5}) for item in plain)


async def test_a_direct_message_is_annotated() -> None:
    async def work(turn: Turn) -> None:
        turn.reply(turn.compose([Part.of_text("hi")], metadata={"mine": 1}))

    async with serving(work, extensions=Extensions([Counter()])) as host:
        host.handler.may_reply = True
        answer = await host.ask(call=ASKING)
        assert answer.metadata == {"mine": 1, URI: 1}


async def test_a_run_that_starts_again_repeats_nothing_that_was_annotated() -> None:
    runs: list[Turn] = []
    counters = [Counter(), Counter()]
    vault = Vault()

    async def work(turn: Turn) -> None:
        runs.append(turn)
        turn.status(WORKING, turn.compose([Part.of_text("half")]), metadata={"progress": 0.5})
        write(turn, "result")
        if len(runs) == 1:
            await turn.next_message()

    async with serving(
        ScriptedHandler(work, is_idempotent=True), store=vault, extensions=Extensions([counters[0]])
    ) as host:
        task = await host.begin(call=ASKING)
        await until(lambda: runs)
    async with serving(
        ScriptedHandler(work, is_idempotent=True), store=vault, extensions=Extensions([counters[1]])
    ) as host:
        done = await host.ended(task.id)
        assert done.state is COMPLETED
        assert done.text == "result"
        await until(lambda: host.is_idle)
    again = [getattr(event, "status", None) for event in counters[1].events]
    assert [status.state for status in again if status] == [WORKING, COMPLETED]
    assert all(status is None or status.message is None for status in again)


async def test_a_message_is_shown_to_hooks_before_the_handler_and_kept_as_they_left_it() -> None:
    class Marks(Extension):
        uri = URI

        def on_message(self, message: Message) -> Message:
            return replace(message, metadata={URI: "seen"})

    async def work(turn: Turn) -> None:
        await turn.ask(turn.compose([Part.of_text("?")]))

    async with serving(work, extensions=Extensions([Marks()])) as host:
        task = await host.send(call=ASKING)
        assert host.handler.admitted[0][0].message.metadata == {URI: "seen"}
        assert task.state is TaskState.INPUT_REQUIRED
        done = await host.send("yes", call=ASKING, task_id=task.id)
        assert [message.metadata for message in done.history if message.role.value == "ROLE_USER"] == [
            {URI: "seen"}
        ] * 2


async def test_a_hook_that_writes_something_new_each_time_spoils_no_key() -> None:
    class Clock(Extension):
        uri = URI

        def __init__(self) -> None:
            self.ticks = 0

        def on_message(self, message: Message) -> Message:
            self.ticks += 1
            return replace(message, metadata={URI: self.ticks})

    async def work(turn: Turn) -> None: ...

    call = Call(extensions=(URI,), idempotency_key="k")
    async with serving(work, extensions=Extensions([Clock()])) as host:
        request = say("hi")
        once, again = [(await host.engine.send(call, request)).payload for _ in range(2)]
        assert isinstance(once, Task)
        assert isinstance(again, Task)
        assert once.id == again.id
