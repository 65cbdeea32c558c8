"""A word from a skill that is still at work."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Yielded by a streaming skill: what it does now, and how far it is, from 0 to 1."""

    message: str = ""
    fraction: float | None = None

    def __post_init__(self) -> None:
        check_fraction(self.fraction)


def check_fraction(fraction: float | None) -> None:
    """Raise ValueError unless it is one, or none."""
    if fraction is not None and not 0 <= fraction <= 1:
        raise ValueError(f"a fraction lies between 0 and 1, not at {fraction!r}")
