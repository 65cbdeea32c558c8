"""`dragoman tasks`."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from dragoman.cli.databases import database_argument, told
from dragoman.cli.exits import Exit
from dragoman.cli.failures import CommandError
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

if TYPE_CHECKING:  # the other commands do without a store
    from dragoman.store import PushDelivery
    from dragoman.store.sqlite.files import StoreFile

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


@command.command(short_help="List webhooks that have not been told everything.")
@database_argument
@click.option("--retry", default="", metavar="ID", help="Have this webhook tried again.")
@click.option("--task", default="", metavar="ID", help="Only webhooks of this task.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@output_option
def push(database: "StoreFile", retry: str, task: str, limit: int, out: Output) -> None:
    """List the webhooks that were given up (dead) or have something to tell yet (pending), and set one going again.

    Works on the file that keeps the tasks, on the machine that serves the agent; other commands ask the agent itself. The agent
    notices within seconds what is to be tried again.

      dragoman tasks push .dragoman/greeter.db
      dragoman tasks push .dragoman/greeter.db --retry 4f1c6a3e-5b0e-4d55-9a35-0c1b7a2f9d10
    """
    from dragoman.cli.pushes import describe_push, show_pushes

    with told():
        found = [one for one in database.undelivered(_ALL) if task in ("", one.task_id)]
        if retry:
            found = [_choose(found, retry)]
            database.revive(found[0].task_id, retry)
    if retry:
        out.document({"retried": {"id": retry, "taskId": found[0].task_id}})
        out.tick(f"webhook {retry} of task {found[0].task_id} is tried again")
        return
    out.document({"webhooks": [describe_push(one) for one in found[:limit]]})
    if found:
        out.say(show_pushes(found[:limit], datetime.now(UTC)))
    else:
        out.hint("every webhook has been told everything")
    if len(found) > limit:
        out.hint(f"there are {len(found)}; see more with --limit")


_ALL = -1


def _choose(found: "list[PushDelivery]", config_id: str) -> "PushDelivery":
    chosen = [one for one in found if one.config_id == config_id]
    if not chosen:
        raise CommandError(f"no webhook {config_id!r} is dead or pending; list them without --retry")
    if len(chosen) > 1:
        raise CommandError(f"{len(chosen)} tasks have a webhook {config_id!r}; say which with --task")
    return chosen[0]


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
