"""The door to the JOSE library: keys, key sets and signatures over detached bytes (RFC 7515, 7517)."""

import base64
import enum
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

from dragoman.model import JSON, MissingExtraError, ParseError
from dragoman.wire.codec import decode_json, encode
from dragoman.wire.depth import check_depth
from dragoman.wire.narrowing import is_array, is_object

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    Key: TypeAlias = ECKey | OKPKey | RSAKey

Jwk: TypeAlias = Mapping[str, Any]
"""One key as RFC 7517 has it."""

KeySource: TypeAlias = str | bytes | Jwk
"""A private key: PEM, or a JWK as an object or as text."""

MAX_KEYS = 100
MAX_HEADER_CHARS = 8192
MAX_SIGNATURE_CHARS = 2048
MIN_RSA_BITS = 2048


class Algorithm(enum.Enum):
    """What a card may be signed with: asymmetric, and nothing that is broken. Never `none`, never HS*."""

    ES256 = "ES256"
    ES384 = "ES384"
    ES512 = "ES512"
    EDDSA = "EdDSA"
    ED25519 = "Ed25519"
    """EdDSA by the name that RFC 9864 gives it."""
    PS256 = "PS256"
    PS384 = "PS384"
    PS512 = "PS512"
    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"


KEY_TYPES = ("EC", "OKP", "RSA")
"""Kinds of keys that have a public half; the secrets of HS* are not among them."""

_BY_CURVE = {
    "P-256": Algorithm.ES256,
    "P-384": Algorithm.ES384,
    "P-521": Algorithm.ES512,
    "Ed25519": Algorithm.EDDSA,
}


class BadKeyError(ValueError):
    """What was given is no key that a card can be signed or checked with."""


def load_private_key(source: KeySource) -> "Key":
    """A private key; BadKeyError if it is none, or too weak."""
    key = _import(source if isinstance(source, str | bytes) else dict(source))
    if not key.is_private:
        raise BadKeyError("a signer needs the private key, and this is a public one")
    return key


def load_public_key(jwk: Jwk) -> "Key":
    """The public half of a JWK, without what else it says; BadKeyError if it has none."""
    return _import({name: value for name, value in jwk.items() if name in _PUBLIC_MEMBERS})


def make_private_key(algorithm: Algorithm) -> "Key":
    """A new key for an algorithm."""
    _require_extra()
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    curves = {fitting: curve for curve, fitting in _BY_CURVE.items()}
    match algorithm:
        case Algorithm.EDDSA | Algorithm.ED25519:
            return OKPKey.generate_key("Ed25519")
        case Algorithm.ES256 | Algorithm.ES384 | Algorithm.ES512:
            return ECKey.generate_key(curves[algorithm])
        case _:
            return RSAKey.generate_key(3072)


def choose_algorithm(key: "Key") -> Algorithm:
    """The usual algorithm of a key; BadKeyError if it has none."""
    public = key.as_dict(private=False)
    found = Algorithm.PS256 if public["kty"] == "RSA" else _BY_CURVE.get(str(public.get("crv")))
    if found is None:
        raise BadKeyError(f"keys of the curve {public.get('crv')!r} sign no cards; use P-256 or Ed25519")
    return found


def get_public_jwk(key: "Key") -> dict[str, Any]:
    """The public half as a JWK, with nothing of the private one."""
    return {name: value for name, value in key.as_dict(private=False).items() if name in _PUBLIC_MEMBERS}


_PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e"})


def fits(algorithm: Algorithm, key: "Key") -> bool:
    """Whether a key is of the kind that an algorithm needs."""
    from joserfc.errors import JoseError
    from joserfc.jws import JWSRegistry

    try:
        JWSRegistry.algorithms[algorithm.value].check_key(key)
    except (JoseError, ValueError):
        return False
    # RFC 8037 has two curves under one name, and X25519 is no key to sign with.
    return key.as_dict(private=False).get("crv") not in _OTHER_CURVES


_OTHER_CURVES = frozenset({"Ed448", "X25519", "X448"})


def sign(payload: bytes, header: Mapping[str, Any], key: "Key", algorithm: Algorithm) -> tuple[str, str]:
    """The protected header and the signature over it and `payload`, each in base64url."""
    from joserfc.jws import JWSRegistry

    protected = _encode64(encode(header))
    signed = _join(protected, payload)
    signature: bytes = JWSRegistry.algorithms[algorithm.value].sign(signed, key)
    return protected, _encode64(signature)


def is_signed(payload: bytes, protected: str, signature: str, key: "Key", algorithm: Algorithm) -> bool:
    """Whether `signature` was made over `protected` and `payload` with the private half of `key`.

    The algorithm is the caller's: what the header says was compared with what is allowed before.
    """
    from joserfc.errors import JoseError
    from joserfc.jws import JWSRegistry

    try:
        raw = _decode64(signature)
        return bool(JWSRegistry.algorithms[algorithm.value].verify(_join(protected, payload), raw, key))
    except (JoseError, ValueError):
        return False


def load_header(protected: str) -> dict[str, JSON]:
    """The members of a protected header; ValueError if it is no JSON object in base64url, or too long."""
    if len(protected) > MAX_HEADER_CHARS:
        raise ValueError(f"its header is longer than {MAX_HEADER_CHARS} characters")
    try:
        raw = _decode64(protected)
        check_depth(raw)
        header = decode_json(raw)
    except (ValueError, ParseError):
        header = None
    if not is_object(header):
        raise ValueError("its header is not a JSON object in base64url")
    return header


def load_key_set(document: JSON) -> list[dict[str, Any]]:
    """The keys of a JWKS, or of a single JWK; BadKeyError if it is neither, or holds more than `MAX_KEYS`."""
    entries: JSON = document.get("keys", [document]) if is_object(document) else None
    if not is_array(entries):
        raise BadKeyError("a key set is an object with 'keys', each a JWK (RFC 7517)")
    if len(entries) > MAX_KEYS:
        raise BadKeyError(f"a key set has at most {MAX_KEYS} keys, this one has {len(entries)}")
    return [entry for entry in entries if is_object(entry) and entry.get("kty") in KEY_TYPES]


def _import(source: "str | bytes | dict[str, Any]") -> "Key":
    _require_extra()
    from joserfc.errors import JoseError

    value = _read_text(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of weak keys, which are refused below
            key = _import_jwk(value) if isinstance(value, dict) else _import_pem(value)
    except BadKeyError:
        raise
    except (JoseError, ValueError, TypeError, OverflowError):
        raise BadKeyError("this is no key: neither PEM without a password nor a JWK") from None
    if _is_weak(key):
        raise BadKeyError(f"an RSA key that signs cards has {MIN_RSA_BITS} bits or more")
    return key


def _read_text(source: "str | bytes | dict[str, Any]") -> "bytes | dict[str, Any]":
    """PEM as it is, the text of a JWK as an object."""
    if isinstance(source, dict):
        return source
    raw = source.encode() if isinstance(source, str) else source
    if not raw.lstrip().startswith(b"{"):
        return raw
    try:
        value = decode_json(raw)
    except ParseError:
        value = None
    if not is_object(value):
        raise BadKeyError("this is no key: it begins like a JWK and is no JSON")
    return value


def _import_jwk(value: dict[str, Any]) -> "Key":
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    match value.get("kty"):
        case "EC":
            return ECKey.import_key(value)
        case "OKP":
            return OKPKey.import_key(value)
        case "RSA":
            return RSAKey.import_key(value)
        case kind:
            raise BadKeyError(f"keys of the type {kind!r} have no public half; use EC, OKP or RSA")


def _import_pem(value: bytes) -> "Key":
    """A PEM says what kind of key it is only once it is parsed, and the library parses one kind at a time."""
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    for kind in (ECKey, OKPKey, RSAKey):
        try:
            return kind.import_key(value)
        except JoseError:
            continue
    raise BadKeyError("this is no key: neither PEM without a password nor a JWK")


def _is_weak(key: "Key") -> bool:
    from joserfc.jwk import RSAKey

    return isinstance(key, RSAKey) and key.public_key.key_size < MIN_RSA_BITS


def _require_extra() -> None:
    if find_spec("joserfc") is None:
        raise MissingExtraError("signing")


def _join(protected: str, payload: bytes) -> bytes:
    return f"{protected}.{_encode64(payload)}".encode()


def _encode64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode64(text: str) -> bytes:
    """base64url without padding and nothing else; ValueError (RFC 7515, 2)."""
    raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode64(raw) != text:
        raise ValueError("this is not base64url")
    return raw
