"""What pydantic does for skills: it checks types and describes them.

It is imported by the first type that needs it. Texts, files and parts do not, and an agent whose skills take nothing else
holds a fifth less memory without it.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import (
    PydanticInvalidForJsonSchema,
    PydanticSchemaGenerationError,
    PydanticUndefinedAnnotation,
    PydanticUserError,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from typing_extensions import TypedDict

from dragoman.agent.errors import AuthoringError
from dragoman.agent.fields import make_hint
from dragoman.agent.parameters import Parameter
from dragoman.model import JSON

_CONFIG = ConfigDict(extra="forbid", val_json_bytes="base64", ser_json_bytes="base64", allow_inf_nan=False)


class QuietJsonSchema(GenerateJsonSchema):
    """Leaves out a default that is not JSON without complaining: the author meant it."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012 - declared so by its base
        "skipped-choice",
        "non-serializable-default",
    }


def build_adapter(owner: str, parameters: Sequence[Parameter]) -> TypeAdapter[dict[str, Any]]:
    """What checks the arguments of `owner`, all together; AuthoringError if a type cannot be checked."""
    make: Any = TypedDict  # with names that are known only now, which a type checker cannot follow
    hints = {parameter.name: make_hint(parameter.annotation, parameter.default) for parameter in parameters}
    record = make(f"{owner}_arguments", hints)
    record.__pydantic_config__ = _CONFIG
    try:
        return TypeAdapter(record)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError) as error:
        raise AuthoringError(
            f"the parameters of {owner!r} cannot be validated: {_first_line(error)}"
        ) from error


def describe_output(kind: Any) -> dict[str, JSON] | None:
    """JSON Schema of what is returned; None for a type that has none."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        return adapter.json_schema(mode="serialization", schema_generator=QuietJsonSchema)
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError):
        return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
