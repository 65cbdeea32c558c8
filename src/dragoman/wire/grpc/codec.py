"""Records from and to protobuf. What does not fit is refused with the words and places that JSON is refused with."""

from typing import TypeVar

import msgspec
from google.protobuf.message import DecodeError, EncodeError

from dragoman.model import JSON, FieldViolation, InvalidParamsError, InvalidRequestError, Record
from dragoman.model.timestamps import encode_extra
from dragoman.wire.codec import convert
from dragoman.wire.grpc.plain import NotJsonError, UnsayableError, read_message, write_message
from dragoman.wire.grpc.schema import ProtoMessage, find_class

T = TypeVar("T", bound=Record)


def decode(kind: type[T], data: bytes) -> T:
    """Read one `kind`; the errors are those of `parse`, and InvalidParamsError with violations for a message that is not valid."""
    return convert(kind, parse(find_class(kind.__name__), data))


def encode(record: Record, *, exact: bool = False) -> bytes:
    """Print a record; UnsayableError if protobuf cannot say it.

    `exact` refuses an integer that no double equals, which is rounded otherwise.
    """
    plain = msgspec.to_builtins(record, enc_hook=encode_extra, builtin_types=(bytes,), str_keys=True)
    return build(find_class(type(record).__name__), plain, exact=exact)


def parse(kind: type[ProtoMessage], data: bytes) -> dict[str, JSON]:
    """The JSON of one message.

    Raises InvalidRequestError for what is not that message, InvalidParamsError for a number in it that is none.
    """
    try:
        return read_message(kind.FromString(data))
    except DecodeError:
        problem = f"the message is no {kind.DESCRIPTOR.name} of protobuf, or is nested too deep"
        raise InvalidRequestError(problem) from None
    except NotJsonError as error:
        violation = FieldViolation(field=_join(error.place), description=str(error))
        raise InvalidParamsError(violations=[violation]) from None


def build(kind: type[ProtoMessage], value: JSON, *, exact: bool = False) -> bytes:
    """One message, printed from its JSON; the rest is as for `encode`."""
    message = kind()
    try:
        write_message(message, value, exact=exact)
        data: bytes = message.SerializeToString()
    except UnsayableError:
        raise
    except RecursionError:
        raise UnsayableError("gRPC cannot carry JSON that is nested this deep") from None
    except (EncodeError, TypeError, ValueError, OverflowError) as error:
        raise UnsayableError(f"gRPC cannot carry this {kind.DESCRIPTOR.name}: {error}") from None
    return data


def _join(place: list[str]) -> str:
    """The path as JSON's violations write it."""
    path = ""
    for step in reversed(place):
        path += step if not path or step.startswith("[") else f".{step}"
    return path
