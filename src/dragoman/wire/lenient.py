"""Everything that ProtoJSON parsers accept and a strict decoder does not, brought to one form (SPEC 1.1).

Both spellings of a name, enum numbers, null for "unset", URL-safe or unpadded base64, integers as text or as
integral floats, and REQUIRED members left out because they are empty. What is free JSON (metadata, data, params)
is not touched.
"""

import re

from dragoman.model import JSON
from dragoman.wire.narrowing import is_array, is_object
from dragoman.wire.schema import (
    ANYTHING,
    BYTES,
    INT32_MAX,
    INTEGER,
    Enumeration,
    Fields,
    Items,
    Leaf,
    Member,
    Shape,
    Values,
)

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,9})")
_URL_SAFE = str.maketrans("-_", "+/")


class TwoSpellings:
    """Stands for a member that came as camelCase and as snake_case, with different values."""


TWO_SPELLINGS = TwoSpellings()


def normalise(shape: Shape, value: JSON) -> JSON:
    """Bring `value` to the form that the strict decoder takes; what fits nothing stays as it is."""
    match shape:
        case Leaf():
            return _read_leaf(shape, value)
        case Enumeration(numbers=numbers):
            return numbers.get(value, value) if type(value) is int else value
        case Items(item=item):
            return [normalise(item, entry) for entry in value] if is_array(value) else value
        case Values(value=inner):
            return _read_values(inner, value)
        case Fields():
            return _read_record(shape, value) if is_object(value) else value


def _read_values(shape: Shape, value: JSON) -> JSON:
    if not is_object(value):
        return value
    return {name: normalise(shape, entry) for name, entry in value.items()}


def _read_record(fields: Fields, value: dict[str, JSON]) -> dict[str, JSON]:
    result: dict[str, JSON] = {}
    for name, entry in value.items():
        member = fields.by_name.get(name)
        if member is not None and (entry is not None or member.shape is ANYTHING):
            _put(result, member, normalise(member.shape, entry))
    for member in fields.members:
        if member.required and member.name not in result and (empty := member.empty) is not None:
            result[member.name] = empty
    return result


def _put(result: dict[str, JSON], member: Member, value: JSON) -> None:
    known = result.setdefault(member.name, value)
    if known is not value and known != value:
        result[member.name] = TWO_SPELLINGS


def _read_leaf(leaf: Leaf, value: JSON) -> JSON:
    if leaf is INTEGER:
        return _read_integer(value)
    if leaf is BYTES and isinstance(value, str):
        return value.translate(_URL_SAFE) + "=" * (-len(value) % 4)
    return value


def _read_integer(value: JSON) -> JSON:
    match value:
        case float() if value.is_integer() and abs(value) <= INT32_MAX + 1:
            return int(value)
        case str() if _DECIMAL.fullmatch(value):
            return int(value)
        case _:
            return value
