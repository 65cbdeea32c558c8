"""The `dragoman` command: the list of what it can do, and how each of them ends."""

import sys
from typing import Any

import click

from dragoman.cli.exits import Exit, explain_exits
from dragoman.cli.lazy import Entry, LazyGroup
from dragoman.cli.output import get_output

ENTRIES = {
    "serve": Entry("dragoman.cli.commands.serve", "Serve one agent or several over HTTP."),
    "dev": Entry(
        "dragoman.cli.commands.dev", "Serve an agent while writing it: starts anew at every change."
    ),
    "send": Entry("dragoman.cli.commands.send", "Send one message to an agent and print the answer."),
    "chat": Entry("dragoman.cli.commands.chat", "Talk with an agent, line by line."),
    "card": Entry("dragoman.cli.commands.card", "Show an agent's card, or say what is wrong with it."),
    "keys": Entry("dragoman.cli.commands.keys", "Make the keys that cards are signed with."),
    "tasks": Entry("dragoman.cli.commands.tasks", "List, show, follow and cancel an agent's tasks."),
    "db": Entry("dragoman.cli.commands.db", "Measure, check and migrate the file that keeps tasks."),
}


class Root(LazyGroup):
    """Turns what a command raises into words and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(Exit.INTERRUPTED)
        except _errors() as error:
            from dragoman.cli.failures import report

            ctx.exit(report(error, get_output(ctx)))


def _errors() -> type[Exception]:
    """Asked for only when something was raised, so that help does not load the model."""
    from dragoman.model.errors import DragomanError

    return DragomanError


@click.command(
    cls=Root,
    entries=ENTRIES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\nExit codes:\n{explain_exits()}",
)
@click.version_option(package_name="dragoman", message="dragoman %(version)s")
def root() -> None:
    """Agents that speak A2A: serve one, talk to one, look at one.

      dragoman serve greeter:agent                 an agent from greeter.py, on http://127.0.0.1:8000
      dragoman send http://127.0.0.1:8000 "Ada"    ask it something
      dragoman chat http://127.0.0.1:8000          talk with it

    Every command explains itself with --help, and takes --json for scripts.
    """


def main() -> None:
    """The entry point of the command line."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(
                errors="backslashreplace"
            )  # an old terminal cannot show everything that an agent may say
    root(prog_name="dragoman")
