"""How the texts that a person types are read: an address, a header, a time. What cannot be read is a BadParameter."""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

import click

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):([^\r\n\0]*)")


def read_url(text: str) -> str:
    """An agent's address; `localhost:8000` is read as `http://localhost:8000`, another host as https."""
    url = text.strip()
    if "://" not in url:
        url = f"{'http' if is_loopback(url) else 'https'}://{url}"
    if not is_web_address(url):
        raise click.BadParameter(
            f"{text!r} is not the address of an agent; write something like http://127.0.0.1:8000"
        )
    return url


def read_header(text: str) -> tuple[str, str]:
    """A header as curl takes it: `Name: value`."""
    found = _HEADER.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a header; write it as 'Name: value'")
    return found[1], found[2].strip()


def read_seconds(text: str) -> float:
    """A length of time: seconds, or a number with ms, s, m, h or d."""
    seconds = _read_span(text) or _read_span(f"{text}s")
    if not seconds:
        raise click.BadParameter(f"{text!r} is not a length of time; write it as 30, 500ms, 5m or 2h")
    return seconds


def read_moment(text: str) -> datetime:
    """A point in time: ISO 8601, in local time unless it says otherwise, or how long ago."""
    try:
        if (seconds := _read_span(text)) is not None:
            return datetime.now(UTC) - timedelta(seconds=seconds)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is not a point in time; write it as 2h, 3d or 2026-11-22T15:04"
        ) from None


def is_web_address(text: str) -> bool:
    """Whether it is an absolute http or https URL."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_loopback(address: str) -> bool:
    """Whether a host, with a port or without, is this machine."""
    try:
        host = urlsplit(f"//{address}").hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _read_span(text: str) -> float | None:
    found = _SPAN.fullmatch(text)
    return float(found[1]) * _UNITS[found[2]] if found else None
