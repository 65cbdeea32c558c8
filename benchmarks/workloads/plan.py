"""How long and how often everything is measured."""

import sys
import time
from dataclasses import dataclass, field

from benchmarks.contestants import ALL, Contestant


@dataclass(frozen=True, slots=True)
class Plan:
    """`quick` proves that everything works and finds rough figures; its ratios vary by a third."""

    rounds: int = 3
    quick: bool = False
    contestants: tuple[Contestant, ...] = ALL
    begun: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Of one measured stretch."""
        return 0.3 if self.quick else 1.0

    @property
    def warm_up(self) -> float:
        return 0.1 if self.quick else 0.3

    def choose(self, *names: str) -> list[Contestant]:
        """Those of the contestants that take part."""
        return [one for one in self.contestants if one.name in names]

    def note(self, words: str) -> None:
        """A line of progress."""
        print(f"  {time.monotonic() - self.begun:5.0f} s  {words}", file=sys.stderr, flush=True)
