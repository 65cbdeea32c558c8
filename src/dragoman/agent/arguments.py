"""The arguments of a skill as one schema: validated together, published as JSON Schema."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dragoman.agent.parameters import Parameter, Shape
from dragoman.model import JSON

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Arguments:
    """What a caller hands to a skill, by the keys that callers use.

    A skill with one parameter that is itself an object takes that object's fields directly.
    """

    def __init__(self, owner: str, parameters: Sequence[Parameter]) -> None:
        self.parameters = tuple(parameters)
        self.inline = self.parameters[0] if self._is_inline() else None
        self._owner = owner
        self._is_plain = all(parameter.is_plain for parameter in self.parameters)
        if not self._is_plain:
            _ = self._adapter  # its author should learn at once what is wrong with a type

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """The arguments by parameter name, defaults filled in; raises pydantic's ValidationError."""
        if self._is_plain and (taken := self._take(values)) is not None:
            return taken
        return self._adapter.validate_python(values)

    def _take(self, values: dict[str, Any]) -> dict[str, Any] | None:
        """Values as they are where that is what pydantic would say, too; None where it has something to say."""
        taken: dict[str, Any] = {}
        for parameter in self.parameters:
            value = values.get(parameter.name, parameter.default)
            if type(value) is not parameter.annotation:
                return None
            taken[parameter.name] = value
        return taken if values.keys() <= taken.keys() else None

    @cached_property
    def _adapter(self) -> "TypeAdapter[dict[str, Any]]":
        from dragoman.agent.adapters import build_adapter

        return build_adapter(self._owner, self.parameters)

    @cached_property
    def json_schema(self) -> dict[str, JSON]:
        """JSON Schema of the data that the skill takes."""
        schema = self._describe()
        return schema if self.inline is None else _unwrap(schema, self.inline.key)

    def schema_of(self, parameter: Parameter) -> dict[str, JSON]:
        """JSON Schema of one argument alone."""
        if parameter.annotation is str and parameter.is_plain and parameter.is_required:
            return {"type": "string"}
        schema = self._describe()
        inner = _unwrap(schema, parameter.key)
        bare = {name: value for name, value in inner.items() if name not in ("$defs", "title")}
        return {**bare, "$defs": inner["$defs"]} if "#/$defs/" in str(bare) else bare

    def _describe(self) -> dict[str, JSON]:
        from dragoman.agent.adapters import QuietJsonSchema

        return self._adapter.json_schema(schema_generator=QuietJsonSchema)

    def list_expected(self) -> str:
        """The names of the arguments in words, for an error message."""
        required = self.json_schema.get("required", ())
        names = [
            f"{name!r} (required)" if name in required else repr(name)
            for name in self.json_schema.get("properties", ())
        ]
        return ", ".join(names) or "the arguments"

    def _is_inline(self) -> bool:
        return len(self.parameters) == 1 and self.parameters[0].shape is Shape.OBJECT


def _unwrap(schema: dict[str, JSON], key: str) -> dict[str, JSON]:
    """The schema of one property on its own."""
    definitions: dict[str, JSON] = schema.get("$defs", {})
    inner: dict[str, JSON] = schema["properties"][key]
    reference = inner.get("$ref", "").removeprefix("#/$defs/")
    inner = {
        **definitions.get(reference, {}),
        **{name: value for name, value in inner.items() if name != "$ref"},
    }
    return {**inner, "$defs": definitions} if definitions else inner
