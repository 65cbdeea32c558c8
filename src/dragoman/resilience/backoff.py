"""How long to wait before something is tried again."""

from collections.abc import Callable

from msgspec import Struct

_MAX_EXPONENT = 60


def random() -> float:
    """A number from 0 to 1; the library that draws it is loaded when something has failed."""
    from random import random as draw

    return draw()  # noqa: S311 - it spreads callers over time and keeps no secret


class Backoff(Struct, frozen=True):
    """Exponential delays with jitter, as a value: it neither waits nor counts.

    A wait is drawn from the upper half of its step, so that callers who failed together do not return together.
    `patience_seconds` is the longest wait that a peer may ask for; who asks for more is given up.
    """

    attempts: int = 4
    initial_seconds: float = 0.2
    factor: float = 2.0
    max_seconds: float = 10.0
    patience_seconds: float = 60.0

    def delay(
        self, attempt: int, *, at_least: float = 0.0, draw: Callable[[], float] = random
    ) -> float | None:
        """Seconds to wait after the failed `attempt`, counted from 1; None if it was the last.

        `at_least` is what the peer asked for. `draw` gives a number from 0 to 1.
        """
        if attempt >= self.attempts or at_least > self.patience_seconds:
            return None
        return max(at_least, self.step(attempt, draw=draw))

    def step(self, attempt: int, *, draw: Callable[[], float] = random) -> float:
        """The wait after `attempt` when there is no last one."""
        exponent = min(max(attempt, 1) - 1, _MAX_EXPONENT)
        step = min(self.max_seconds, self.initial_seconds * self.factor**exponent)
        return step * (0.5 + draw() / 2)
