"""Bytes, times and names, as the peers of each generation write them."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.wire.dialects.naming import make_id, name_in
from dragoman.wire.dialects.spellings import (
    dump_proto_bytes,
    is_surely_plain,
    load_proto_bytes,
    load_timestamp,
)


def once(data):
    return b64encode(data).decode()


@given(data=st.binary(max_size=40))
def test_what_the_python_sdk_of_0_3_writes_is_base64_twice(data):
    assert load_proto_bytes(dump_proto_bytes(once(data)), "application/x-test") == once(data)


@pytest.mark.parametrize("data", [b"\x00\xff\x10", b"%PDF-1.7", b"\x89PNG", b"hello", b"ab\ncd", b""])
def test_what_others_write_is_base64_once(data):
    assert load_proto_bytes(once(data), "application/octet-stream") == once(data)


def test_a_text_that_looks_like_base64_is_left_alone_where_decoding_makes_no_text_of_it():
    assert load_proto_bytes(once(b"deadbeef"), "text/plain") == once(b"deadbeef")
    assert load_proto_bytes(once(once(b"plain words").encode()), "text/plain") == once(b"plain words")


def test_bytes_that_are_base64_text_themselves_are_taken_for_the_python_sdk_s():
    """Nothing tells them from that; see the decision about dialects."""
    assert load_proto_bytes(once(b"deadbeef"), "application/octet-stream") == "deadbeef"


@given(data=st.binary(max_size=40))
def test_what_the_python_sdk_writes_is_never_surely_plain(data):
    assert not is_surely_plain(dump_proto_bytes(once(data)))


@pytest.mark.parametrize("data", [b"\x00\xff", b"%PDF-1.7", b"hello"])
def test_what_is_no_base64_inside_is_surely_plain(data):
    assert is_surely_plain(once(data))


@pytest.mark.parametrize("value", ["", "%%%", 7, None, [], once(b"abcd")])
def test_what_may_be_either_is_not_surely_plain(value):
    assert not is_surely_plain(value)


@pytest.mark.parametrize("value", ["%%%", 7, None, ["AA=="], "Ä"])
def test_what_is_no_base64_stays_for_the_decoder_to_refuse(value):
    assert load_proto_bytes(value, "text/plain") == value


@pytest.mark.parametrize(
    "text, read",
    [
        ("2025-06-01T12:00:00", "2025-06-01T12:00:00.000Z"),
        ("2025-06-01T12:00:00.123456", "2025-06-01T12:00:00.123Z"),
        ("2025-06-01T12:00:00+02:00", "2025-06-01T10:00:00.000Z"),
        ("2025-06-01", "2025-06-01T00:00:00.000Z"),
        ("yesterday", "yesterday"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_time_without_a_zone_is_in_utc(text, read):
    assert load_timestamp(text) == read


@given(name=st.text(min_size=1))
def test_a_name_is_read_out_of_the_id_that_was_made_of_it(name):
    assert name_in(make_id("0" * 32, name)) == name


@pytest.mark.parametrize("task_id", ["t-1", "v01.xyz.name", "v01." + "0" * 32 + "."])
def test_any_other_id_is_its_own_name(task_id):
    assert name_in(task_id) == task_id
