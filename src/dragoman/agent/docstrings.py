"""What a function's name and docstring say about a skill."""

import inspect
import re

_WORD = re.compile(r"[_\W]+")


def read_title(name: str) -> str:
    """`find_hotels` as a person would write it: `Find Hotels`."""
    words = [word for word in _WORD.split(name) if word]
    return " ".join(word if word.isupper() else word.capitalize() for word in words) or name


def read_summary(docstring: str | None) -> str:
    """The first paragraph on one line; empty without a docstring."""
    paragraph, _, _ = inspect.cleandoc(docstring or "").strip().partition("\n\n")
    return " ".join(paragraph.split())
