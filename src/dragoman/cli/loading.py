"""An author's agent, found by what was typed: `module:attribute` or `path/to/file.py:attribute`."""

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeAlias

from dragoman.agent import Agent, Agents
from dragoman.cli.failures import CommandError

App: TypeAlias = Agent | Agents

DEFAULT_ATTRIBUTE = "agent"


class Target(NamedTuple):
    """Where an agent lies. `folder` must be importable, `file` is empty for a module that lies elsewhere."""

    module: str
    attribute: str
    folder: Path
    file: Path | None

    @property
    def name(self) -> str:
        """A short name for files that belong to the agent: the module's, and the attribute's if it is not the usual one."""
        stem = self.module.rpartition(".")[2]
        return stem if self.attribute in ("", DEFAULT_ATTRIBUTE) else f"{stem}-{self.attribute}"


def read_target(text: str) -> Target:
    """Take apart what was typed; CommandError if it names a file that is not there."""
    place, colon, attribute = text.rpartition(":")
    if not colon or os.sep in attribute or attribute.endswith(".py"):
        place, attribute = text, ""
    if not (place.endswith(".py") or os.sep in place):
        return Target(place, attribute, Path.cwd(), None)
    file = Path(place).resolve()
    if not file.is_file():
        raise CommandError(f"there is no file {place!r}")
    folder, names = file.parent, [file.stem]
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return Target(".".join(names), attribute, folder, file)


def load_app(text: str) -> App:
    """Import the module and take the agent, or the agents, out of it; CommandError that says what to change."""
    target = read_target(text)
    sys.path.insert(0, str(target.folder))
    module = _import(target, text)
    return _take_app(module, target)


def _import(target: Target, text: str) -> ModuleType:
    try:
        if not target.file and importlib.util.find_spec(target.module) is None:
            raise CommandError(_explain_missing(target, text))
        module = importlib.import_module(target.module)
    except CommandError:
        raise
    except (Exception, SystemExit) as error:
        if (
            isinstance(error, ModuleNotFoundError)
            and error.name
            and f"{target.module}.".startswith(f"{error.name}.")
        ):
            raise CommandError(_explain_missing(target, text)) from None
        raise CommandError(f"{text!r} cannot be imported: {explain_error(error)}") from error
    if target.file and Path(module.__file__ or "").resolve() != target.file:
        raise CommandError(
            f"{target.file.name} has the name of another module, {target.module!r}; give it another name"
        )
    return module


def explain_error(error: BaseException) -> str:
    """What an author's module raised, and where: the last line of their code that was running."""
    if isinstance(error, SyntaxError):
        return f"{error.msg}, in {error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_foreign(frame.filename)]
    place = f", in {own[-1].filename}, line {own[-1].lineno}: {own[-1].line}" if own else ""
    return f"{type(error).__name__}: {error}{place}"


def _is_foreign(filename: str) -> bool:
    """Whether a frame is not the author's: Python's, a library's, or ours."""
    path = Path(filename)
    return (
        filename.startswith("<")
        or path.is_relative_to(sys.base_prefix)
        or path.is_relative_to(sys.prefix)
        or path.is_relative_to(_HOME)
    )


_HOME = Path(__file__).parents[1]


def _explain_missing(target: Target, text: str) -> str:
    advice = "name the module as Python imports it, or the file, such as agents/greeter.py"
    return f"there is no module {target.module!r} in {target.folder}, which {text!r} asks for; {advice}"


def _take_app(module: ModuleType, target: Target) -> App:
    found = {name: value for name, value in vars(module).items() if isinstance(value, App)}
    if not target.attribute and DEFAULT_ATTRIBUTE not in found and len(found) == 1:
        return next(iter(found.values()))
    value: object = module
    for name in (target.attribute or DEFAULT_ATTRIBUTE).split("."):
        value = getattr(value, name, None)
    if isinstance(value, App):
        return value
    raise CommandError(_explain_no_agent(target, found, value))


def _explain_no_agent(target: Target, found: Collection[str], value: object) -> str:
    wanted = target.attribute or DEFAULT_ATTRIBUTE
    problem = (
        f"{target.module!r} has no {wanted!r}"
        if value is None
        else f"{wanted!r} in {target.module!r} is no Agent but a {type(value).__name__}"
    )
    if found:
        return f"{problem}; it has {', '.join(f'{target.module}:{name}' for name in found)}"
    return f'{problem}; make one with `{wanted} = Agent("Name", "What it does")`'
