"""The whole way of a task, told step by step: make demo, or python -m examples.echo.demo"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from dragoman import Client, Task, TaskState
from dragoman.client import TaskHandle
from dragoman.model import DragomanError, TaskArtifactUpdateEvent
from examples.echo.serving import serve

CALL = "Is anybody out there in the hills?"


class SurpriseError(Exception):
    """Something differs from what the demo says."""


def tell(text: str) -> None:
    print(f"   {text}", flush=True)


def expect(is_so: bool, what: str) -> None:
    """Say that something is so, if it is."""
    if not is_so:
        raise SurpriseError(f"this should be so, and is not: {what}")
    tell(f"✓ {what}")


async def discover(valley: Client) -> None:
    """An agent is found by its card: a page that says who it is and what it can do."""
    card = await valley.card()
    tell(f"{card.name}: {card.description}")
    for skill in card.skills:
        tell(f"  {skill.id:<10} {skill.description}")
    speaks = ", ".join(interface.protocol_binding for interface in card.supported_interfaces)
    expect(
        len(card.skills) == 3 and bool(card.capabilities.streaming),
        f"it has 3 skills, streams, and speaks {speaks}",
    )


async def ask(valley: Client) -> None:
    """The shortest way: a text in, a text out."""
    tell(f"we call      {CALL}")
    echo, _, heard = (await valley.ask(CALL)).partition("\n")
    tell(f"it answers   {echo}")
    tell(f"and heard    {heard}")
    expect(echo == CALL, "it is the text that we called")
    expect(f'"words":{len(CALL.split())}' in heard, f"it counted {len(CALL.split())} words, as we do")


async def stream(valley: Client) -> None:
    """The same, watched: every word comes as an event of its own, while the agent is still at work."""
    words: list[str] = []
    started = time.monotonic()
    async for event in valley.stream(CALL):
        if isinstance(event, TaskArtifactUpdateEvent):
            words += [part.text for part in event.artifact.parts if isinstance(part.text, str) and part.text]
            if len(words) == 1:
                tell(f"the first word came after {1000 * (time.monotonic() - started):.0f} ms")
    tell(f"the last one after {1000 * (time.monotonic() - started):.0f} ms: {words}")
    expect("".join(words) == CALL, f"{len(words)} pieces make the text that we called")


async def answer_back(valley: Client) -> Task:
    """An agent may ask its caller. The task waits for the answer, for days if need be."""
    task = await get_handle(valley.send("Good Morning", skill="voice"))
    tell("it asks      " + task.text.replace("\n", "  "))
    expect(task.state is TaskState.INPUT_REQUIRED, "the task waits for us (INPUT_REQUIRED)")
    tell("we answer    backwards")
    await task.reply("backwards")
    tell(f"it says      {task.text}")
    expect(task.text == "Good Morning"[::-1], "that is the text backwards, and the task is completed")
    return await task


async def cancel(valley: Client) -> Task:
    """A task that takes long can be stopped, and its agent really stops."""
    task = await get_handle(valley.send("Hello!", skill="mountains", return_immediately=True))
    tell(f"the task is {task.state.name}; we listen to three echoes of a hundred")
    echoes = 0
    async for event in task:
        echoes += isinstance(event, TaskArtifactUpdateEvent)
        if echoes == 3:
            break
    started = time.monotonic()
    canceled = await task.cancel()
    tell(f"we cancel it, which took {1000 * (time.monotonic() - started):.0f} ms")
    expect(canceled.state is TaskState.CANCELED, "the task is CANCELED, and what came until then is kept")
    tell(f"kept         {task.text}")
    return canceled


async def list_tasks(valley: Client) -> list[Task]:
    """The agent remembers every task."""
    tasks = [task async for task in valley.list_tasks(include_artifacts=True)]
    for task in tasks:
        tell(f"{task.id}  {task.state.name:<10} {task.history[0].text if task.history else ''}")
    states = [task.state for task in tasks]
    expect(states.count(TaskState.COMPLETED) == 3, "3 tasks are completed")
    expect(states.count(TaskState.CANCELED) == 1, "1 task was canceled")
    return tasks


async def read_back(valley: Client, before: list[Task], canceled: Task) -> None:
    """The tasks lie in a file, so that they outlive the agent's process."""
    after = [task async for task in valley.list_tasks(include_artifacts=True)]
    expect(after == before, f"all {len(before)} tasks are there, just as they were")
    task = await valley.get_task(canceled.id)
    tell(f"the canceled one still holds: {task.text}")
    expect(task.artifacts == canceled.artifacts, "its result is the same, to the last letter")


async def get_handle(sending: Coroutine[Any, Any, object]) -> TaskHandle:
    answer = await sending
    if not isinstance(answer, TaskHandle):
        raise SurpriseError(f"the agent should have made a task, and answered {answer!r}")
    return answer


async def run(folder: Path) -> None:
    step = number_steps()
    async with serve(folder) as valley:
        step("Start an agent")
        tell(f"process {valley.process.pid} serves {valley.url}; its tasks lie in {folder}")
        async with Client(valley.url) as client:
            step("Discover its card")
            await discover(client)
            step("Send it a message")
            await ask(client)
            step("Watch an answer come in")
            await stream(client)
            step("Let it ask us")
            await answer_back(client)
            step("Ask for something long, and cancel it")
            canceled = await cancel(client)
            step("List the tasks")
            tasks = await list_tasks(client)
        step("Pull the plug: kill -9")
        await valley.kill()
        tell(f"process {valley.process.pid} is gone")
    step("Start it again, and read the old tasks back")
    async with serve(folder) as valley:
        tell(f"process {valley.process.pid} serves {valley.url}")
        async with Client(valley.url) as client:
            await read_back(client, tasks, canceled)


def number_steps() -> Callable[[str], None]:
    """Headings, numbered from 1."""
    count = 0

    def step(title: str) -> None:
        nonlocal count
        count += 1
        print(f"\n{count}. {title}", flush=True)

    return step


def main() -> int:
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="dragoman-demo-") as folder:
            asyncio.run(run(Path(folder)))
    except (SurpriseError, DragomanError, RuntimeError, TimeoutError) as error:
        print(f"\n✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(
        f"\nAll of it happened as told, in {time.monotonic() - started:.1f} seconds. Now look into examples/echo."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
