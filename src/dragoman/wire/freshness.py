"""How long an answer may be used without asking again (RFC 9111; CCH-05, CCH-07)."""

from collections.abc import Mapping

DEFAULT_LIFETIME_SECONDS = 300.0
"""How long a document holds whose answer says nothing about it (CCH-07)."""


def get_lifetime(headers: Mapping[str, str]) -> float:
    """Seconds that an answer holds by its `Cache-Control` and `Age`; the default if it does not say."""
    directives = {part.strip().lower() for part in headers.get("cache-control", "").split(",")}
    if directives & {"no-cache", "no-store"}:
        return 0.0
    ages = [part.partition("=")[2].strip('"') for part in directives if part.startswith("max-age=")]
    seconds = _read_seconds(ages[0]) if ages else None
    if seconds is None:
        return DEFAULT_LIFETIME_SECONDS
    return max(0.0, seconds - (_read_seconds(headers.get("age", "")) or 0.0))


def _read_seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() and len(text) <= 9 else None
