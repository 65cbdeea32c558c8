"""Server-sent events (HTML standard, 9.2; SPEC 3.3, 3.5)."""

import time
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import BadResponse
from dragoman.wire.sse import COMMENT, EventDecoder, ServerSentEvent, encode_event
from tests.unit.wire.strategies import FAST, THOROUGH

LINES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)
EVENTS = st.tuples(st.binary(max_size=12), LINES, LINES)
FRAGMENTS = st.sampled_from(
    [
        b"data",
        b"data:",
        b"data: x",
        b"id: 1",
        b"id",
        b"event: e",
        b"retry: 5",
        b":",
        b": c",
        b"\n",
        b"\r",
        b"\r\n",
        b" ",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\0",
        b"foo: bar",
        b"\n\n",
    ]
)


def read(data, size=0, decoder=None):
    decoder = decoder or EventDecoder()
    size = size or max(1, len(data))
    events = [
        event for start in range(0, len(data), size) for event in decoder.feed(data[start : start + size])
    ]
    return events, decoder


def in_one_line(data):
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@FAST
@given(st.lists(EVENTS, max_size=5), st.integers(1, 9))
def test_events_arrive_as_they_were_sent_however_they_are_split(events, size):
    stream = COMMENT.join(encode_event(data, id=name, event=event) for data, name, event in events)
    ids: list[str] = list(accumulate((name for _, name, _ in events), lambda last, new: new or last))
    read_back, decoder = read(stream, size)
    assert [event.data for event in read_back] == [in_one_line(data) for data, _, _ in events]
    assert [event.event for event in read_back] == [event for _, _, event in events]
    assert [event.id for event in read_back] == ids
    assert decoder.last_event_id == (ids[-1] if ids else "")
    assert decoder.close() is False


@THOROUGH
@given(st.lists(FRAGMENTS, max_size=15).map(b"".join), st.integers(1, 5))
def test_the_split_makes_no_difference(stream, size):
    events, decoder = read(stream, size)
    whole, other = read(stream)
    assert events == whole
    assert (decoder.last_event_id, decoder.retry_millis, decoder.close()) == (
        other.last_event_id,
        other.retry_millis,
        other.close(),
    )


@THOROUGH
@given(st.lists(FRAGMENTS, max_size=15).map(b"".join))
def test_line_ends_are_alike(stream):
    plain = in_one_line(stream)
    assert [read(plain.replace(b"\n", end))[0] for end in (b"\r", b"\r\n")] == [read(plain)[0]] * 2


@pytest.mark.parametrize(
    "stream, events",
    [
        (b"data: a\n\n", [(b"a", "", "")]),
        (b"data:a\n\n", [(b"a", "", "")]),
        (b"data:  a\n\n", [(b" a", "", "")]),
        (b"data\n\n", [(b"", "", "")]),
        (b"data: a\ndata\ndata: b\n\n", [(b"a\n\nb", "", "")]),
        (b"\xef\xbb\xbfdata: a\n\n", [(b"a", "", "")]),
        (b"data: \xef\xbb\xbf\n\n", [(b"\xef\xbb\xbf", "", "")]),
        (b": c\n\n:\n\n", []),
        (b"event: error\n\ndata: a\n\n", [(b"a", "", "")]),
        (b"event: error\ndata: a\n\n", [(b"a", "error", "")]),
        (b"id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", [(b"a", "", "7"), (b"b", "", "7"), (b"c", "", "")]),
        (b"id: 7\0\ndata: a\n\n", [(b"a", "", "")]),
        (b"id: 7\n\n", []),
        (b"DATA: a\nfoo: b\n\n", []),
        (b"data: a\r\rdata: b\r\n\r\n", [(b"a", "", ""), (b"b", "", "")]),
        (b"data: a\n", []),
    ],
)
def test_the_grammar(stream, events):
    assert [tuple(event) for event in read(stream)[0]] == events


@pytest.mark.parametrize(
    "stream, millis",
    [(b"retry: 1500\n", 1500), (b"retry: x\n", None), (b"retry: -1\n", None), (b"retry\n", None)],
)
def test_the_delay_before_reconnecting(stream, millis):
    assert read(stream)[1].retry_millis == millis


@pytest.mark.parametrize("stream", [b"data: a", b"data: a\n", b"da", b"data: a\n\ndata: b\r"])
def test_a_cut_event_is_told_at_the_end(stream):
    assert read(stream)[1].close() is True


@pytest.mark.parametrize(
    "stream", [b"", b"data: a\n\n", b"data: a\r\r", b"data: a\r\n\r\n", b": c\n", b"\n", b"event: x\n"]
)
def test_a_whole_stream_is_told_at_the_end(stream):
    assert read(stream)[1].close() is False


@pytest.mark.parametrize("field", ["id", "event"])
@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_a_field_cannot_smuggle_another(field, value):
    with pytest.raises(ValueError, match="one line"):
        encode_event(b"x", **{field: value})


def test_a_typical_event():
    assert encode_event(b"{}", id="5", event="e") == b"event: e\nid: 5\ndata: {}\n\n"
    assert read(encode_event(b"{}", id="5"))[0] == [ServerSentEvent(b"{}", "", "5")]


@pytest.mark.parametrize(
    "line", [b"data: " + b"x" * 200, b"data: x\n" * 60, b": " + b"x" * 200, b"data\n" * 200]
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_event_that_is_too_large_is_refused(line, size):
    decoder = EventDecoder(max_event_bytes=100)
    with pytest.raises(BadResponse, match="larger than 100 bytes"):
        read(line, size, decoder)


def test_the_limit_is_on_one_event_and_not_on_the_stream():
    decoder = EventDecoder(max_event_bytes=20)
    assert len(decoder.feed(b"data: 0123456789\n\n" * 50)) == 50


@pytest.mark.parametrize(
    "stream, size",
    [
        (b"data: " + b"x" * 10_000_000 + b"\n\n", 1000),
        (b"data: " + b"x" * 200_000 + b"\n\n", 1),
        (b"data:\n" * 30_000 + b"\n", 1),
        (b"\r" * 200_000, 3),
        (b"data: x\n\n" * 20_000, 1_000_000),
    ],
)
def test_work_is_linear(stream, size):
    start = time.perf_counter()
    read(stream, size)
    assert time.perf_counter() - start < 5
