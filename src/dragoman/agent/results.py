"""What a step returns, as JSON for the journal and back."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from dragoman.agent.errors import AuthoringError
from dragoman.agent.parameters import is_hashable
from dragoman.model import JSON
from dragoman.model.timestamps import decode_extra, encode_extra

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class ResultForm(msgspec.Struct, frozen=True):
    """How the results of one type are kept: `dump` makes JSON of a value, and `load` a value of that JSON.

    `dump` raises AuthoringError for a value that is not of the type, or that would not come back.
    """

    dump: Callable[[Any], JSON]
    load: Callable[[JSON], Any]


def form_of(annotation: Any) -> ResultForm:
    """The form for a return annotation; AuthoringError if its type cannot be kept."""
    return _make_form(annotation) if is_hashable(annotation) else _make_form.__wrapped__(annotation)


@lru_cache(maxsize=256)
def _make_form(annotation: Any) -> ResultForm:
    if annotation in (Any, object):
        return ResultForm(_dump_plain, lambda value: value)
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    try:
        return _make_typed_form(annotation)
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        return _make_record_form(annotation, error)


def _dump_plain(value: Any) -> JSON:
    try:
        kept = msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise _refuse(value, str(error)) from error
    if kept != value:
        raise _refuse(value, "it would not come back equal")
    return kept


def _make_typed_form(annotation: Any) -> ResultForm:
    from pydantic_core import PydanticSerializationError, ValidationError

    adapter = _build_adapter(annotation)

    def dump(value: Any) -> JSON:
        try:
            data = adapter.dump_json(value, by_alias=True, round_trip=True, warnings="error")
            adapter.validate_json(data)
        except (PydanticSerializationError, ValidationError, RecursionError) as error:
            raise _refuse(value, str(error)) from error
        return msgspec.json.decode(data)

    return ResultForm(dump, lambda kept: adapter.validate_json(msgspec.json.encode(kept)))


def _build_adapter(annotation: Any) -> "TypeAdapter[Any]":
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError

    config = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64", ser_json_inf_nan="strings")
    try:
        return TypeAdapter(annotation, config=config)
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return TypeAdapter(annotation)  # a model, dataclass or TypedDict has a configuration of its own


def _make_record_form(annotation: Any, refusal: Exception) -> ResultForm:
    """For the protocol's own records, and others of msgspec."""
    try:
        decoder = msgspec.json.Decoder(annotation, dec_hook=decode_extra)
    except TypeError:
        decoder = None
    if decoder is None or not _holds_structs(decoder.type):
        reason = str(refusal).partition("\n")[0]
        raise AuthoringError(f"a step cannot return {annotation!r}: {reason}") from refusal

    def dump(value: Any) -> JSON:
        try:
            data = msgspec.json.encode(value, enc_hook=encode_extra)
            decoder.decode(data)
        except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
            raise _refuse(value, str(error)) from error
        return msgspec.json.decode(data)

    return ResultForm(dump, lambda kept: decoder.decode(msgspec.json.encode(kept)))


def _holds_structs(annotation: Any) -> bool:
    """Whether a msgspec record is in it: of other types that pydantic refuses, msgspec would know no more."""
    inner = getattr(annotation, "__args__", ())
    is_record = isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)
    return is_record or any(map(_holds_structs, inner))


def _refuse(value: object, reason: str) -> AuthoringError:
    return AuthoringError(
        f"what the step returned, a {type(value).__name__}, cannot be kept: {reason.strip()}; return JSON, or annotate "
        "what the function returns with a type that becomes JSON and back"
    )
