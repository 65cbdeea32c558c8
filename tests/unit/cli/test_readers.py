from datetime import UTC, datetime, timedelta

import click
import pytest

from dragoman.cli.readers import is_loopback, read_header, read_moment, read_seconds, read_url


@pytest.mark.parametrize(
    "text, url",
    [
        ("http://example.com/agent", "http://example.com/agent"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("agent.example.com", "https://agent.example.com"),
        (" https://example.com ", "https://example.com"),
    ],
)
def test_an_address_may_be_short(text, url):
    assert read_url(text) == url


@pytest.mark.parametrize(
    "text", ["", "http://", "ftp://x", "http://x:0", "http://x:99999", "http://[::1", "file:///x"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(click.BadParameter):
        read_url(text)


@pytest.mark.parametrize(
    "text, header",
    [
        ("A: b", ("A", "b")),
        ("X-Key:value", ("X-Key", "value")),
        ("A: b: c", ("A", "b: c")),
        ("A:", ("A", "")),
    ],
)
def test_a_header_is_a_name_and_a_value(text, header):
    assert read_header(text) == header


@pytest.mark.parametrize("text", ["", "no colon", ": x", "a b: c", "A: b\r\nC: d"])
def test_what_is_no_header_is_refused(text):
    with pytest.raises(click.BadParameter):
        read_header(text)


@pytest.mark.parametrize(
    "text, seconds", [("30", 30), ("0.5", 0.5), ("500ms", 0.5), ("5m", 300), ("2h", 7200), ("1d", 86400)]
)
def test_a_length_of_time_has_a_unit_or_is_in_seconds(text, seconds):
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1w", "1 h"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(click.BadParameter):
        read_seconds(text)


def test_a_moment_may_be_how_long_ago():
    assert datetime.now(UTC) - read_moment("2h") - timedelta(hours=2) < timedelta(minutes=1)


def test_a_moment_keeps_its_offset_or_is_local():
    assert read_moment("2026-11-22T15:04+02:00") == datetime(2026, 11, 22, 13, 4, tzinfo=UTC)
    assert read_moment("2026-11-22") == datetime(2026, 11, 22).astimezone()


@pytest.mark.parametrize("text", ["", "yesterday", "5", "99999999999999d", "2026-13-01"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(click.BadParameter):
        read_moment(text)


@pytest.mark.parametrize(
    "host, expected",
    [("localhost", True), ("127.0.0.2:1", True), ("[::1]", True), ("10.0.0.1", False), ("[", False)],
)
def test_this_machine_is_known_by_its_names(host, expected):
    assert is_loopback(host) is expected
