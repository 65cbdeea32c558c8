import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from dragoman.cli.exits import Exit
from dragoman.cli.root import ENTRIES, root

HEAVY = {"aiohttp", "msgspec", "pydantic", "starlette", "uvicorn"}


def list_commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found: list[tuple[str, ...]] = [path]
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        found += list_commands(child, (*path, name))
    return found


PATHS = list_commands(root)


def test_help_lists_every_command_and_every_exit_code():
    text = CliRunner().invoke(root, ["--help"]).output
    assert all(f"  {name}" in text for name in ENTRIES)
    assert all(f"{code.value}  {code.meaning}" in text for code in Exit)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_teaches_with_an_example(path):
    result = CliRunner().invoke(root, [*path, "--help"])
    assert result.exit_code == 0
    assert any(line.startswith("    dragoman ") for line in result.output.splitlines())


@pytest.mark.parametrize("name", ENTRIES)
def test_a_command_says_of_itself_what_the_list_says(name):
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.name in ("command", name)
    assert ENTRIES[name].summary.startswith((command.short_help or "?").rstrip("."))


def test_help_loads_neither_the_client_nor_the_server():
    code = "import sys, dragoman.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) & HEAVY == set()


def test_a_misspelt_command_is_told_the_right_one():
    result = CliRunner().invoke(root, ["sned"])
    assert result.exit_code == Exit.USAGE
    assert "there is no command 'sned'; did you mean 'send'?" in result.output


def test_a_command_that_resembles_none_is_told_all_of_them():
    result = CliRunner().invoke(root, ["xyzzy"])
    assert "there are serve, dev, send, chat, card, keys, tasks, db" in result.output


def test_the_version_is_shown():
    assert CliRunner().invoke(root, ["--version"]).output.startswith("dragoman ")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["send"], "Missing argument 'URL'"),
        (["send", "ftp://x", "hi"], "'ftp://x' is not the address of an agent"),
        (["send", "localhost:1"], "there is nothing to send"),
        (["send", "localhost:1", "--data", "{"], "--data '{' is not JSON"),
        (["send", "localhost:1", "--file", "nosuch"], "the file 'nosuch' cannot be read"),
        (["send", "localhost:1", "hi", "--header", "bad"], "'bad' is not a header"),
        (["send", "localhost:1", "hi", "--timeout", "soon"], "'soon' is not a length of time"),
        (["serve"], "Missing argument 'MODULE:AGENT...'"),
        (["serve", "x", "--port", "99999"], "99999 is not in the range"),
        (["tasks", "list", "localhost:1", "--since", "yore"], "'yore' is not a point in time"),
        (["tasks", "list", "localhost:1", "--state", "tired"], "'tired' is not one of"),
        (["card", "validate", "nosuch.json"], "the file 'nosuch.json' cannot be read"),
    ],
)
def test_a_wrong_argument_is_told_without_a_traceback(arguments, words):
    result = CliRunner().invoke(root, arguments)
    assert result.exit_code == Exit.USAGE
    assert words in result.output
    assert "Traceback" not in result.output
