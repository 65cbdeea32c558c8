"""Media types (D-06, RST-01)."""

import pytest

from dragoman.wire.media import accepts, is_event_stream, is_json, matches


@pytest.mark.parametrize(
    "content_type, expected",
    [
        ("application/json", True),
        ("application/a2a+json", True),
        ("Application/JSON; charset=utf-8", True),
        (" application/json ;charset=utf-8", True),
        ("application/problem+json", True),
        ("application/jsonp", False),
        ("text/json", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_json(content_type, expected):
    assert is_json(content_type) is expected


def test_event_stream():
    assert is_event_stream("text/event-stream;charset=utf-8")
    assert not is_event_stream("application/json")


@pytest.mark.parametrize(
    "pattern, content_type, expected",
    [
        ("text/plain", "text/plain;charset=utf-8", True),
        ("TEXT/plain", "text/PLAIN", True),
        ("text/*", "text/html", True),
        ("text/*", "textual/html", False),
        ("*/*", "image/png", True),
        ("*", "image/png", True),
        ("text/plain", "text/html", False),
        ("", "text/html", False),
    ],
)
def test_patterns(pattern, content_type, expected):
    assert matches(pattern, content_type) is expected


@pytest.mark.parametrize(
    "accept, content_type, expected",
    [
        ("", "text/html", True),
        ("text/html, */*;q=0.1", "image/png", True),
        ("text/html", "image/png", False),
        ("*/*, text/html;q=0", "text/html", False),
        ("*/*;q=0, text/html", "text/html", True),
        ("text/*;q=0.000, */*", "text/html", False),
        ("text/html;level=1;Q=0.0", "text/html", False),
        ("text/html;q=0.01", "text/html", True),
    ],
)
def test_accept(accept, content_type, expected):
    assert accepts(accept, content_type) is expected
