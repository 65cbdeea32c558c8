"""Records from and to JSON (SPEC 1.1, JSN-01 to JSN-14).

The strict decoder goes first, because it is fast; the lenient reading of ProtoJSON is tried when the strict one
fails, or when a scan finds a member under its proto name, which the strict one would silently ignore.
"""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import msgspec

from dragoman.model import JSON, InvalidParamsError, ParseError
from dragoman.model.timestamps import decode_extra, encode_extra
from dragoman.wire.lenient import normalise
from dragoman.wire.schema import Scan, compile_scan, shape_of
from dragoman.wire.violations import find_violations

T = TypeVar("T")

Data: TypeAlias = bytes | memoryview | msgspec.Raw

# OverflowError is a timestamp that leaves the calendar when it is brought to UTC.
_MISFITS = (msgspec.ValidationError, OverflowError)
_FAILURES = (*_MISFITS, msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_TOO_DEEP = "invalid JSON payload: it is nested too deep"

_ENCODER = msgspec.json.Encoder(enc_hook=encode_extra)
_JSON_DECODER = msgspec.json.Decoder()


class _Codec(NamedTuple):
    decode: Callable[[Data], Any]
    scan: Scan


class _Codecs(dict[Any, _Codec]):
    """One codec per type, made when the type is first met."""

    def __missing__(self, kind: Any) -> _Codec:
        decoder = msgspec.json.Decoder(kind, dec_hook=decode_extra)
        self[kind] = codec = _Codec(decoder.decode, compile_scan(shape_of(kind)))
        return codec


_CODECS = _Codecs()


def decode(kind: type[T], data: Data) -> T:
    """Read one `kind` from JSON.

    Raises ParseError for what is not JSON, InvalidParamsError with violations for JSON that is not a `kind`.
    """
    strict, scan = _CODECS[kind]
    try:
        if scan(data) is None:
            result: T = strict(data)
            return result
    except _FAILURES:
        pass
    return convert(kind, decode_json(data))


def convert(kind: type[T], value: JSON) -> T:
    """Read one `kind` from decoded JSON with every leniency of ProtoJSON; InvalidParamsError if it does not fit."""
    try:
        return _convert(kind, value)
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None


def _convert(kind: type[T], value: JSON) -> T:
    shape = shape_of(cast("Hashable", kind))
    plain = normalise(shape, value)
    try:
        return msgspec.convert(plain, kind, dec_hook=decode_extra)
    except _MISFITS as failure:
        raise InvalidParamsError(violations=find_violations(shape, plain, failure)) from None


def decode_json(data: Data) -> JSON:
    """Read any JSON; ParseError if it is none, is not UTF-8, is cut short or is nested too deep."""
    try:
        return _JSON_DECODER.decode(data)
    except UnicodeDecodeError:
        raise ParseError("invalid JSON payload: the text is not UTF-8") from None
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    except msgspec.DecodeError as failure:
        raise ParseError(f"invalid JSON payload: {failure}") from None


encode: Callable[[object], bytes] = _ENCODER.encode
"""Print a record, or any JSON that contains records."""
