"""How deep the JSON of a request may be nested."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import ParseError
from dragoman.wire.codec import encode
from dragoman.wire.depth import MAX_DEPTH, check_depth
from tests.unit.wire.strategies import FAST, JSON_VALUES


def nest(levels):
    return b"[" * levels + b'"]["' + b"]" * levels


def test_the_limit_is_allowed_and_one_more_is_not():
    check_depth(nest(MAX_DEPTH))
    with pytest.raises(ParseError, match="deeper than 100"):
        check_depth(nest(MAX_DEPTH + 1))


@pytest.mark.parametrize("text", [b"[" * 500, b'\\"' + b"{" * 500, b"\\\\", b'\\\\\\"' + b"[" * 500])
def test_brackets_in_texts_do_not_count(text):
    check_depth(b'{"a":"%b","b":[%b]}' % (text, b",".join([b"[{}]"] * 200)))


def measure(value):
    match value:
        case dict():
            return 1 + max(map(measure, value.values()), default=0)
        case list():
            return 1 + max(map(measure, value), default=0)
        case _:
            return 0


@FAST
@given(st.lists(JSON_VALUES, min_size=110, max_size=110), st.integers(60, 140))
def test_depth_is_measured_exactly(values, levels):
    value = values
    for _ in range(levels):
        value = {"]": value}
    try:
        check_depth(encode(value))
    except ParseError:
        assert measure(value) > MAX_DEPTH
    else:
        assert measure(value) <= MAX_DEPTH


@pytest.mark.parametrize(
    "body",
    [b"[" + b"[]," * 300_000 + b"1]", b"[" + b'"\\"[",' * 150_000 + b"1]", b"[" * 300_000 + b"]" * 300_000],
)
def test_hostile_input_takes_bounded_time(body):
    start = time.perf_counter()
    with suppress(ParseError):
        check_depth(body)
    assert time.perf_counter() - start < 5
