"""Help that teaches: indented paragraphs are examples, and stay as they were written."""

from inspect import cleandoc
from textwrap import indent
from typing import Any

import click


class TeachingCommand(click.Command):
    """A command whose docstring may hold examples."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.help = keep_examples(self.help)


class TeachingGroup(click.Group):
    """A group of them."""

    command_class = TeachingCommand

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.help = keep_examples(self.help)


def keep_examples(help: str | None) -> str | None:
    """Mark indented paragraphs for click, which would fill them into one."""
    if help is None:
        return None
    return "\n\n".join(map(_keep, cleandoc(help).split("\n\n")))


def _keep(paragraph: str) -> str:
    if paragraph.startswith("dragoman "):  # nothing else in the docstring was indented less
        paragraph = indent(paragraph, "  ")
    return f"\b\n{paragraph}" if paragraph.startswith(" ") else paragraph
