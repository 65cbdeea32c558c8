"""Arguments and options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from dragoman.cli.readers import read_header, read_seconds, read_url

F = TypeVar("F", bound=Callable[..., Any])

headers_option = click.option(
    "-H",
    "--header",
    "headers",
    type=read_header,
    multiple=True,
    metavar="'NAME: VALUE'",
    help="Send this header with every request; may be given more than once.",
)

timeout_option = click.option(
    "--timeout",
    type=read_seconds,
    metavar="TIME",
    help="Give up after this time, such as 30 (seconds), 5m or 2h. Default: wait as long as it takes.",
)


def peer_options(command: F) -> F:
    """How to reach an agent: its address as `url`, `headers`, and `timeout` in seconds."""
    return click.argument("url", type=read_url, metavar="URL")(headers_option(timeout_option(command)))
