"""What a person wants to send, as the parts of a message."""

import mimetypes
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from dragoman.cli.failures import CommandError
from dragoman.model import Part

STDIN = "-"


def read_parts(text: str | None, data: Sequence[str], files: Sequence[Path], skill: str = "") -> list[Part]:
    """Text first, then data, then files; CommandError for what cannot be read, or if there is nothing.

    A skill may need nothing but its name: then that is data without arguments.
    """
    parts = [*_read_text(text), *map(_read_data, data), *map(_read_file, files)]
    if not parts and not skill:
        raise CommandError(
            "there is nothing to send: give a text, - for standard input, --data, --file or --skill"
        )
    return parts or [Part.of_data({})]


def _read_text(text: str | None) -> Iterator[Part]:
    if text == STDIN:
        yield Part.of_text(sys.stdin.read().removesuffix("\n"))
    elif text is not None:
        yield Part.of_text(text)


def _read_data(text: str) -> Part:
    try:
        return Part.of_data(msgspec.json.decode(text))
    except msgspec.DecodeError as error:
        raise CommandError(
            f"--data {text!r} is not JSON: {error}; put it into single quotes for the shell"
        ) from None


def _read_file(path: Path) -> Part:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"the file {str(path)!r} cannot be read: {error.strerror}") from None
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Part.of_bytes(content, filename=path.name, media_type=media_type)
