"""`dragoman chat`."""

import asyncio
import sys

import click

from dragoman.cli.chatting import Chat
from dragoman.cli.exits import Exit
from dragoman.cli.lines import Lines
from dragoman.cli.options import peer_options
from dragoman.cli.output import Output, output_option
from dragoman.cli.peers import Header, Peer
from dragoman.cli.teaching import TeachingCommand


@click.command(cls=TeachingCommand, short_help="Talk with an agent, line by line.")
@peer_options
@click.option("--skill", default="", help="The id of the skill that is meant.")
@click.option("--context", default="", metavar="ID", help="Continue this conversation.")
@output_option
def command(
    *, url: str, headers: tuple[Header, ...], timeout: float | None, skill: str, context: str, out: Output
) -> None:
    r"""Talk with an agent, line by line. Answers are printed while they come in.

    What the agent asks is answered by the next line. Lines that begin with / are for this program:

      /new      begin a new conversation
      /cancel   cancel the task that works, or that waits for an answer
      /help     show them
      /quit     leave; so does the end of the input

      dragoman chat http://127.0.0.1:8000
      printf 'book a room\nthe second one\n' | dragoman chat http://127.0.0.1:8000

    From a pipe, every line waits for the answer to the one before, but /cancel does not. The exit code is that of the
    last answer; --timeout holds for each of them. With --json, every event is a line of JSON.
    """
    lines = Lines()
    with asyncio.Runner() as runner:
        chat = Chat(Peer(url, headers).open(), lines, out, skill=skill, context=context, timeout=timeout)
        try:
            runner.run(chat.greet())
            while (line := lines.ask("" if out.as_json else chat.prompt)) is not None:
                if not runner.run(chat.take(line)):
                    break
        except KeyboardInterrupt:
            chat.code = Exit.INTERRUPTED
        finally:
            runner.run(chat.close())
    sys.exit(chat.code)
