"""`dragoman dev`."""

import click

from dragoman.cli.banner import CARD_PATH
from dragoman.cli.hosting import MEMORY, Hosting
from dragoman.cli.listening import get_address, listen
from dragoman.cli.loading import read_target
from dragoman.cli.logs import LEVELS, set_up_logs
from dragoman.cli.output import Output, output_option
from dragoman.cli.serving import serve_and_reload
from dragoman.cli.teaching import TeachingCommand


@click.command(cls=TeachingCommand, short_help="Serve an agent while writing it.")
@click.argument("target", metavar="FILE")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen at this address.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes any that is free."
)
@click.option(
    "--store",
    metavar="URL",
    default=MEMORY,
    show_default=True,
    help="Where tasks are kept between two starts.",
)
@click.option("--log-level", type=click.Choice(LEVELS), default="debug", show_default=True)
@output_option
def command(*, target: str, host: str, port: int, store: str, log_level: str, out: Output) -> None:
    """Serve an agent while writing it: it starts anew whenever a Python file in its folder changes.

    FILE is a file, or MODULE:AGENT as `dragoman serve` takes it.

      dragoman dev greeter.py
      dragoman dev greeter.py --port 0 --store sqlite:///dev.db

    Tasks live in memory and are forgotten at every start, unless --store names a place. A mistake in the file is told,
    and the next change is waited for.
    """
    set_up_logs(log_level)
    folder = read_target(target).folder
    listener = listen(host, port)
    address = get_address(listener)
    out.line({"url": address, "card": address + CARD_PATH, "watches": str(folder)})
    out.say(f"{target} is served at {address}")
    out.say(f"  card     {address}{CARD_PATH}")
    out.say(f"  tasks    {'in memory: they are forgotten at every start' if store == MEMORY else store}")
    out.say(f"  watches  {folder}")
    out.say("Press Ctrl-C to stop.")
    serve_and_reload(
        Hosting(targets=(target,), store=store, log_level=log_level, drain_seconds=1, reloads=True), listener
    )
