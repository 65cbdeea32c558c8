"""Signatures of notifications, in the form of Standard Webhooks (PSH-05, PSH-11, PSH-20; docs/decisions/0007).

HMAC-SHA256 over `id.timestamp.body`. The header may carry several signatures, so that a secret can be replaced while
notifications flow: the sender signs with the old one and the new one until every receiver knows the new one.
"""

import base64
import hmac
import re
import secrets as randomness
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from dragoman.model import DragomanError, Timestamp

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

DEFAULT_MAX_AGE = timedelta(minutes=5)
"""How far the timestamp of a notification may lie from the receiver's clock, in the past and in the future."""

MIN_KEY_BYTES = 24
"""What Standard Webhooks asks for."""

MAX_ID_CHARS = 256

_PREFIX = "whsec_"
_VERSION = "v1"
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class SignatureError(DragomanError):
    """Nothing proves that the notification comes from somebody who knows the secret, or that it was not changed."""


class StaleTimestampError(SignatureError):
    """The notification was sent too long ago, or one of the two clocks is wrong."""


def make_secret() -> str:
    """A new secret to share with a receiver, as `whsec_<base64>`."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def load_key(secret: str | bytes) -> bytes:
    """The key in `whsec_<base64>`; bytes are the key itself. ValueError if it is neither, or is too short to be safe."""
    key = _decode_secret(secret) if isinstance(secret, str) else secret
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(
            f"a secret has {MIN_KEY_BYTES} bytes or more, this one has {len(key)}; make one with make_secret()"
        )
    return key


def load_keys(secrets: Iterable[str | bytes]) -> tuple[bytes, ...]:
    """The keys of several secrets, see `load_key`."""
    if isinstance(secrets, str | bytes):
        raise ValueError("secrets are a tuple, also where there is only one")  # noqa: TRY004 - as for any bad secret
    return tuple(load_key(secret) for secret in secrets)


def sign(keys: Sequence[bytes], message_id: str, moment: Timestamp, body: bytes) -> dict[str, str]:
    """The three headers of a notification, with one signature for each key.

    ValueError if the id is empty or too long, or has a character that could move the borders of what is signed.
    """
    if not is_valid_id(message_id) or "." in message_id:
        raise ValueError(
            f"the id of a notification is short printable ASCII without '.' or blanks, got {message_id!r}"
        )
    seconds = dump_seconds(moment)
    signatures = " ".join(f"{_VERSION},{_compute(key, message_id, seconds, body)}" for key in keys)
    return {ID_HEADER: message_id, TIMESTAMP_HEADER: seconds, SIGNATURE_HEADER: signatures}


def verify(
    keys: Sequence[bytes],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: Timestamp,
    max_age: timedelta = DEFAULT_MAX_AGE,
) -> None:
    """Raise SignatureError unless one of the signatures was made with one of the keys, and lately.

    `headers` are by lower-case name. A signature is judged before its age, so that only who knows the secret can tell
    the two apart.
    """
    message_id, seconds = headers.get(ID_HEADER, ""), headers.get(TIMESTAMP_HEADER, "")
    if not is_valid_id(message_id) or not _SECONDS.fullmatch(seconds):
        raise SignatureError(f"{ID_HEADER} and {TIMESTAMP_HEADER} are missing or malformed")
    given = _load_signatures(headers.get(SIGNATURE_HEADER, ""))
    expected = [_compute(key, message_id, seconds, body).encode() for key in keys]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise SignatureError(f"none of the {len(given)} signatures was made with a secret that is known here")
    check_age(seconds, now=now, max_age=max_age)


def check_age(seconds: str, *, now: Timestamp, max_age: timedelta) -> None:
    """Raise StaleTimestampError unless these seconds since 1970 lie within `max_age` of now (PSH-20)."""
    if not _SECONDS.fullmatch(seconds):
        raise StaleTimestampError(f"{TIMESTAMP_HEADER} is not a number of seconds")
    age = timedelta(seconds=now.millis // 1000 - int(seconds))
    if abs(age) > max_age:
        raise StaleTimestampError(f"the notification is {age} old by the clock here; {max_age} is allowed")


def dump_seconds(moment: Timestamp) -> str:
    """A point in time as the header has it."""
    return str(moment.millis // 1000)


def is_valid_id(message_id: str) -> bool:
    """Whether this can be the id of a notification at all."""
    return (
        0 < len(message_id) <= MAX_ID_CHARS
        and message_id.isascii()
        and message_id.isprintable()
        and " " not in message_id
    )


def _decode_secret(secret: str) -> bytes:
    try:
        if secret.startswith(_PREFIX):
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        pass
    raise ValueError(f"a secret is '{_PREFIX}' and base64, or bytes; make one with make_secret()") from None


def _compute(key: bytes, message_id: str, seconds: str, body: bytes) -> str:
    signed = b"%b.%b.%b" % (message_id.encode(), seconds.encode(), body)
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _load_signatures(header: str) -> list[bytes]:
    """The signatures of our version; those of others are for other receivers."""
    pairs = (entry.partition(",") for entry in header.split())
    return [signature.encode() for version, _, signature in pairs if version == _VERSION]
