"""The file of a task store, as a command takes it."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dragoman.cli.failures import CommandError
from dragoman.model import UnavailableError

if TYPE_CHECKING:  # most commands do without SQLite
    from dragoman.store.sqlite.files import StoreFile

F = TypeVar("F", bound=Callable[..., Any])


def read_database(text: str) -> "StoreFile":
    """A file, or the URL of a store in SQLite."""
    from dragoman.store.opening import find_file
    from dragoman.store.sqlite.files import StoreFile

    scheme = text.partition(":")[0]
    if scheme == "sqlite":
        try:
            return StoreFile(Path(find_file(text)))
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    if text == "memory:" or "://" in text:
        raise click.BadParameter(
            f"{scheme!r} is no store in a file; give a file such as .dragoman/greeter.db, or sqlite:///tasks.db"
        )
    return StoreFile(Path(text))


@contextmanager
def told() -> Generator[None]:
    """Say what is wrong with the file to the person who named it."""
    try:
        yield
    except UnavailableError as error:
        raise CommandError(error.message) from error


def database_argument(command: F) -> F:
    """The file of a store, as `database`."""
    return click.argument("database", type=read_database, metavar="FILE|URL")(command)
