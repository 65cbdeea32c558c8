"""Signatures in the form of Standard Webhooks."""

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest

from dragoman.model import Timestamp
from dragoman.security import SignatureError, StaleTimestampError, make_secret
from dragoman.security.signatures import load_key, load_keys, sign, verify

# The example of the reference implementations of the scheme.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
MOMENT = Timestamp.from_millis(1614265330_000)
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

KEYS = load_keys([SECRET])
OTHER = make_secret()


def compute(secret, message_id, seconds, body):
    """The scheme in three lines, apart from the code under test."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signed(*secrets, body=BODY):
    return sign(load_keys(secrets or [SECRET]), ID, MOMENT, body)


def accept(headers, body=BODY, keys=KEYS, now=MOMENT, **options):
    verify(keys, headers, body, now=now, **options)


def test_the_published_example_comes_out():
    assert compute(SECRET, ID, 1614265330, BODY) == SIGNATURE
    assert signed() == {"webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": SIGNATURE}


@pytest.mark.parametrize(
    "body", [b"", b"{}", '{"text": "Grüße, 世界"}'.encode(), bytes(range(256)), b"x" * 100_000]
)
def test_any_body_is_signed_as_the_scheme_says_and_verifies(body):
    headers = signed(OTHER, body=body)
    assert headers["webhook-signature"] == compute(OTHER, ID, 1614265330, body)
    accept(headers, body, load_keys([OTHER]))


def test_while_a_secret_is_replaced_receivers_may_know_either():
    headers = signed(SECRET, OTHER)
    assert headers["webhook-signature"] == " ".join(
        compute(secret, ID, 1614265330, BODY) for secret in (SECRET, OTHER)
    )
    accept(headers)
    accept(headers, keys=load_keys([OTHER]))
    accept(signed(OTHER), keys=load_keys([SECRET, OTHER]))


def test_signatures_of_other_versions_are_for_others():
    junk = f"v1a,{SIGNATURE} v2,abc nonsense v1 ,, v1,ü"
    accept({**signed(), "webhook-signature": f"{junk} {SIGNATURE}"})
    with pytest.raises(SignatureError, match="none of the"):
        accept({**signed(), "webhook-signature": junk})
    with pytest.raises(SignatureError):
        accept({**signed(), "webhook-signature": SIGNATURE.replace("v1,", "v1a,")})


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "01614265330"},
        {"webhook-timestamp": "1614265330.0"},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "-1614265330"},
        {"webhook-timestamp": "9" * 4000},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": SIGNATURE[:-2] + "A="},
        {"webhook-signature": SIGNATURE[:-1]},
        {"webhook-signature": SIGNATURE.lower()},
    ],
)
def test_a_change_of_any_header_is_noticed(changed):
    with pytest.raises(SignatureError):
        accept({**signed(), **changed})


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_has_to_be_there(name):
    headers = signed()
    del headers[name]
    with pytest.raises(SignatureError):
        accept(headers)


@pytest.mark.parametrize("position", range(len(BODY)))
def test_a_change_of_any_byte_of_the_body_is_noticed(position):
    body = bytearray(BODY)
    body[position] ^= 1
    with pytest.raises(SignatureError):
        accept(signed(), bytes(body))


@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"", b" " + BODY])
def test_a_body_that_was_cut_or_padded_is_noticed(body):
    with pytest.raises(SignatureError):
        accept(signed(), body)


def test_another_secret_or_none_verifies_nothing():
    for keys in (load_keys([OTHER]), ()):
        with pytest.raises(SignatureError):
            accept(signed(), keys=keys)
    with pytest.raises(SignatureError):
        accept(sign((), ID, MOMENT, BODY))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_notification_within_five_minutes_of_the_clock_is_fresh(seconds):
    accept(signed(), now=Timestamp.from_millis(MOMENT.millis + seconds * 1000))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_an_older_one_and_one_from_the_future_are_stale(seconds):
    with pytest.raises(StaleTimestampError, match="0:05:00 is allowed"):
        accept(signed(), now=Timestamp.from_millis(MOMENT.millis + seconds * 1000))


def test_the_tolerance_can_be_chosen():
    late = Timestamp.from_millis(MOMENT.millis + 600_000)
    accept(signed(), now=late, max_age=timedelta(minutes=10))
    with pytest.raises(StaleTimestampError):
        accept(signed(), now=late, max_age=timedelta(minutes=9))


def test_who_does_not_know_the_secret_is_not_told_about_the_clock():
    with pytest.raises(SignatureError) as caught:
        accept(signed(OTHER), now=Timestamp.from_millis(0))
    assert not isinstance(caught.value, StaleTimestampError)


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "a\r\nb", "ä", "x" * 257])
def test_an_id_that_could_move_the_borders_of_what_is_signed_is_refused(message_id):
    with pytest.raises(ValueError, match="the id of a notification"):
        sign(KEYS, message_id, MOMENT, BODY)


def test_a_secret_is_prefixed_base64_or_bytes():
    raw = bytes(range(24))
    assert load_key("whsec_" + base64.b64encode(raw).decode()) == load_key(raw) == raw
    assert len(load_key(make_secret())) == 32
    assert make_secret() != make_secret()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_hunter2-hunter2-hunter2-hunter2",
        b"x" * 23,
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret):
    with pytest.raises(ValueError, match="make one with make_secret") as caught:
        load_key(secret)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("secret", [SECRET, b"x" * 32])
def test_a_lone_secret_is_not_taken_for_many(secret):
    with pytest.raises(ValueError, match="tuple"):
        load_keys(secret)
