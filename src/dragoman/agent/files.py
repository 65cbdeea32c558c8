"""The files of a message: which parameter takes which."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from dragoman.agent.content import Content
from dragoman.agent.parameters import Parameter, Shape
from dragoman.model import FieldViolation, InvalidParamsError, Part

Placed = tuple[str, Part]


@dataclass(slots=True)
class Files:
    """File arguments by key, and where in the request each one lies."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    places: dict[str, str] = field(default_factory=dict[str, str])


def take_files(
    parameters: Sequence[Parameter], content: Content, *, given: Container[str], is_strict: bool
) -> Files:
    """Files go to parameters in order, a list takes all that are left.

    `given` names what the data part holds already; `is_strict` refuses files that nobody takes.
    """
    takers = [parameter for parameter in parameters if parameter.is_file and parameter.key not in given]
    pool = list(_choose_pool(parameters, content))
    files = Files()
    for taker in takers:
        if pool or taker.is_required:
            taken = _demand(taker, pool)
            converted = [_convert(taker, placed) for placed in taken]
            files.values[taker.key] = converted if taker.is_many else converted[0]
            files.places[taker.key] = taken[0][0]
    if is_strict:
        files_sent = {place for place, _ in content.files}
        _refuse_rest([place for place, _ in pool if place in files_sent])
    return files


def _choose_pool(parameters: Sequence[Parameter], content: Content) -> Iterator[Placed]:
    """The files; where a skill takes nothing but parts, every part there is."""
    only_parts = all(parameter.shape is Shape.PART for parameter in parameters)
    takes_list = any(parameter.is_many for parameter in parameters)
    if only_parts and parameters and (takes_list or not content.files):
        return iter(content.parts)
    return iter(content.files)


def _demand(taker: Parameter, pool: list[Placed]) -> list[Placed]:
    """Take what the parameter takes out of the pool: one file, or all."""
    if not pool:
        words = f"{taker.key!r} is required and missing: send a file part with 'raw' content"
        raise _refuse(FieldViolation(field="message.parts", description=words))
    count = len(pool) if taker.is_many else 1
    taken = pool[:count]
    del pool[:count]
    return taken


def _refuse_rest(places: list[str]) -> None:
    if places:
        words = "there is no parameter for this file"
        raise _refuse(*(FieldViolation(field=place, description=words) for place in places))


def _convert(taker: Parameter, placed: Placed) -> Part | bytes:
    place, part = placed
    if taker.shape is Shape.PART:
        return part
    if isinstance(part.raw, bytes):
        return part.raw
    kind = "url" if part.url is not UNSET else "content"
    words = f"{taker.key!r} takes the content of a file, not its {kind}: send it as 'raw'"
    raise _refuse(FieldViolation(field=place, description=words))


def _refuse(*violations: FieldViolation) -> InvalidParamsError:
    return InvalidParamsError("the files do not fit the skill", violations=violations)
