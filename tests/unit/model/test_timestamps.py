"""Points in time as the protocol writes them (JSN-04, JSN-05, JSN-08)."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model.timestamps import Timestamp, decode_extra, encode_extra, utc_now

MOMENT = "2026-11-22T15:04:05.123Z"


def test_a_timestamp_prints_milliseconds_and_z():
    assert Timestamp.parse(MOMENT).text == MOMENT
    assert Timestamp.parse("2026-11-22T15:04:05Z").text == "2026-11-22T15:04:05.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T15:04:05.123+00:00",
        "2026-11-22T16:04:05.123+01:00",
        "2026-11-22T09:34:05.123-05:30",
        "2026-11-22T15:04:05.123999Z",
        "2026-11-22T15:04:05.123456789Z",
    ],
)
def test_any_offset_and_any_precision_is_read(text: str):
    assert Timestamp.parse(text) == Timestamp.parse(MOMENT)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-22", "2026-11-22T15:04:05", "2026-13-01T00:00:00Z", "12"]
)
def test_what_is_no_timestamp_with_an_offset_is_refused(text: str):
    with pytest.raises(ValueError, match=r"\S"):
        Timestamp.parse(text)


def test_a_naive_moment_is_refused():
    with pytest.raises(ValueError, match="UTC offset"):
        Timestamp.at(datetime(2026, 11, 22))  # noqa: DTZ001 -- that is what is refused


@given(st.integers(0, 253_402_300_799_999))
def test_milliseconds_lead_back_to_the_moment(millis: int):
    moment = Timestamp.from_millis(millis)
    assert moment.millis == millis
    assert Timestamp.parse(moment.text) == moment
    assert Timestamp.parse(moment.text).millis == millis


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_cut_to_milliseconds_and_never_rounded_up(moment: datetime):
    stamp = Timestamp.at(moment)
    assert timedelta(0) <= moment - stamp < timedelta(milliseconds=1)
    assert stamp.utcoffset() == timedelta(0)


def test_order_is_that_of_the_moments():
    early, late = Timestamp.from_millis(1), Timestamp.from_millis(2)
    assert early < late
    assert early == datetime(1970, 1, 1, 0, 0, 0, 1_000, tzinfo=timezone(timedelta(0)))


def test_a_copy_is_as_good():
    stamp = Timestamp.parse(MOMENT)
    assert copy.copy(stamp).text == pickle.loads(pickle.dumps(stamp)).text == MOMENT


def test_the_machines_time_is_cut_to_milliseconds():
    assert utc_now().microsecond % 1_000 == 0


def test_hooks_know_timestamps_and_nothing_else():
    stamp = Timestamp.parse(MOMENT)
    assert encode_extra(stamp) == MOMENT
    assert decode_extra(Timestamp, MOMENT) == stamp
    with pytest.raises(TypeError, match="object is not JSON"):
        encode_extra(object())
    with pytest.raises(ValueError, match="expected an RFC 3339 timestamp, got int"):
        decode_extra(Timestamp, 12)
