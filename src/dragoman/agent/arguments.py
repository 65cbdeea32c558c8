"""The arguments of a skill as one schema: validated together, published as JSON Schema."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from typing_extensions import TypedDict

from dragoman.agent.errors import AuthoringError
from dragoman.agent.parameters import Parameter, Shape
from dragoman.model import JSON

_CONFIG = ConfigDict(extra="forbid", val_json_bytes="base64", ser_json_bytes="base64", allow_inf_nan=False)


class Arguments:
    """What a caller hands to a skill, by the keys that callers use.

    A skill with one parameter that is itself an object takes that object's fields directly.
    """

    def __init__(self, owner: str, parameters: Sequence[Parameter]) -> None:
        self.parameters = tuple(parameters)
        self.inline = self.parameters[0] if self._is_inline() else None
        self._adapter = _build_adapter(owner, self.parameters)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """The arguments by parameter name, defaults filled in; raises pydantic's ValidationError."""
        return self._adapter.validate_python(values)

    @cached_property
    def json_schema(self) -> dict[str, JSON]:
        """JSON Schema of the data that the skill takes."""
        schema = self._adapter.json_schema(schema_generator=QuietJsonSchema)
        return schema if self.inline is None else _unwrap(schema, self.inline.key)

    def schema_of(self, parameter: Parameter) -> dict[str, JSON]:
        """JSON Schema of one argument alone."""
        schema = self._adapter.json_schema(schema_generator=QuietJsonSchema)
        inner = _unwrap(schema, parameter.key)
        bare = {name: value for name, value in inner.items() if name not in ("$defs", "title")}
        return {**bare, "$defs": inner["$defs"]} if "#/$defs/" in str(bare) else bare

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


class QuietJsonSchema(GenerateJsonSchema):
    """Leaves out a default that is not JSON without complaining: the author meant it."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012 - declared so by its base
        "skipped-choice",
        "non-serializable-default",
    }


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


def _build_adapter(owner: str, parameters: Sequence[Parameter]) -> TypeAdapter[dict[str, Any]]:
    make: Any = TypedDict  # with names that are known only now, which a type checker cannot follow
    record = make(f"{owner}_arguments", {parameter.name: parameter.hint for parameter in parameters})
    record.__pydantic_config__ = _CONFIG
    try:
        return TypeAdapter(record)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError) as error:
        raise AuthoringError(
            f"the parameters of {owner!r} cannot be validated: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
