"""`dragoman tasks`."""

import sys
from datetime import datetime

import click

from dragoman.cli.exits import Exit
from dragoman.cli.following import tail_task
from dragoman.cli.options import peer_options
from dragoman.cli.output import Output, output_option
from dragoman.cli.peers import Header, Peer
from dragoman.cli.readers import read_moment
from dragoman.cli.showing import show_task, show_tasks
from dragoman.cli.teaching import TeachingGroup
from dragoman.cli.telling import name_state
from dragoman.client import Client
from dragoman.model import Task, TaskState

STATES = {
    state.name.lower().replace("_", "-"): state for state in TaskState if state is not TaskState.UNSPECIFIED
}
MAX_PAGE = 100


@click.group(cls=TeachingGroup, short_help="List, show, follow and cancel an agent's tasks.")
def command() -> None:
    """List, show, follow and cancel an agent's tasks.

    dragoman tasks list http://127.0.0.1:8000 --state working
    dragoman tasks tail http://127.0.0.1:8000 0a793833-9c3c-4c3b-aef1-4566e86dc099
    """


@command.command("list", short_help="List the tasks, the latest first.")
@peer_options
@click.option("--state", type=click.Choice(list(STATES)), help="Only tasks in this state.")
@click.option("--context", default="", metavar="ID", help="Only tasks of this conversation.")
@click.option(
    "--since",
    type=read_moment,
    metavar="TIME",
    help="Only tasks that changed since: 2h, 3d, 2026-11-22T15:04.",
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@output_option
def list_(
    *,
    url: str,
    headers: tuple[Header, ...],
    timeout: float | None,
    state: str | None,
    context: str,
    since: datetime | None,
    limit: int,
    out: Output,
) -> None:
    """List the caller's tasks, the latest first: id, state, since when, and what was said last.

    dragoman tasks list http://127.0.0.1:8000
    dragoman tasks list http://127.0.0.1:8000 --state input-required --since 2h
    dragoman tasks list http://127.0.0.1:8000 --json | jq -r '.tasks[].id'
    """

    async def read(client: Client) -> list[Task]:
        tasks: list[Task] = []
        wanted = STATES[state] if state else TaskState.UNSPECIFIED
        # One more than is shown, to know whether there are more.
        size = min(limit + 1, MAX_PAGE)
        async for task in client.list_tasks(
            context=context, status=wanted, after=since, history_length=1, page_size=size
        ):
            tasks.append(task)
            if len(tasks) > limit:
                break
        return tasks

    tasks = Peer(url, headers, timeout).run(read)
    out.document({"tasks": tasks[:limit]})
    if tasks:
        out.say(show_tasks(tasks[:limit]))
    else:
        out.hint("there are no such tasks" if state or context or since else "there are no tasks")
    if len(tasks) > limit:
        out.hint(f"there are more than {limit}; see them with --limit")


@command.command(short_help="Show one task.")
@peer_options
@click.argument("task_id", metavar="ID")
@output_option
def show(url: str, headers: tuple[Header, ...], timeout: float | None, task_id: str, out: Output) -> None:
    """Show one task: its state, what was said, and its results.

    dragoman tasks show http://127.0.0.1:8000 0a793833-9c3c-4c3b-aef1-4566e86dc099
    dragoman tasks show http://127.0.0.1:8000 0a79... --json | jq .artifacts
    """
    task = Peer(url, headers, timeout).run(lambda client: client.get_task(task_id))
    out.document(task)
    out.say(show_task(task))


@command.command(short_help="Follow a task until it ends.")
@peer_options
@click.argument("task_id", metavar="ID")
@output_option
def tail(url: str, headers: tuple[Header, ...], timeout: float | None, task_id: str, out: Output) -> None:
    """Follow a task from now on until it ends: its results, and what becomes of it.

    The exit code tells how it ended, as that of `dragoman send` does. With --json, a line for each event.

      dragoman tasks tail http://127.0.0.1:8000 0a793833-9c3c-4c3b-aef1-4566e86dc099
    """
    sys.exit(Peer(url, headers, timeout).run(lambda client: tail_task(client, task_id, out)))


@command.command(short_help="Ask the agent to stop a task.")
@peer_options
@click.argument("task_id", metavar="ID")
@output_option
def cancel(url: str, headers: tuple[Header, ...], timeout: float | None, task_id: str, out: Output) -> None:
    """Ask the agent to stop working on a task. The exit code is 1 if it goes on all the same.

    dragoman tasks cancel http://127.0.0.1:8000 0a793833-9c3c-4c3b-aef1-4566e86dc099
    """
    task = Peer(url, headers, timeout).run(lambda client: client.task(task_id).cancel())
    out.document(task)
    if task.state is TaskState.CANCELED:
        out.tick(f"the task {name_state(task.state)}")
        return
    out.cross(f"the task {name_state(task.state)}: the agent did not cancel it")
    sys.exit(Exit.FAILED)
