"""Sampled stacks: read, counted by function, and made into a tree for the flame graph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Stack = tuple[str, ...]
OWN = re.compile(r"^(?P<function>\S+) \((?:.*/)?src/(?P<file>dragoman/[^:)]+)")
WAITS = ("Crew._take ",)
"""Functions that wait in C for something to do; seen from outside they look busy."""
LOOPS = ("Runner.run asyncio", "Handle._run asyncio")
FRAME = re.compile(r"^(?P<function>\S+) \((?:.*/)?(?P<file>[^/]+/[^/:)]+)(?::\d+)?\)$")


@dataclass(slots=True)
class Node:
    """A function below another: how many samples were in it or further down."""

    name: str
    samples: int = 0
    below: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hot:
    """Shares of all samples, in percent. `itself` includes the libraries and the C code that it calls, `whole` everything below it."""

    name: str
    itself: float
    whole: float


def parse(text: str) -> Iterator[tuple[Stack, int]]:
    """Folded stacks, a line each: frames with semicolons between, a space, the number of samples. Those that wait are left out."""
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = tuple(shorten(frame) for frame in stack.split(";"))
        if stack and not frames[-1].startswith(WAITS):
            yield frames, int(count)


def shorten(frame: str) -> str:
    """A frame without the folders of the machine it was sampled on."""
    if own := OWN.match(frame):
        return f"{own['function']} {own['file']}"
    if found := FRAME.match(frame):
        return f"{found['function']} {found['file']}"
    return frame.partition(" (")[0]


def is_own(frame: str) -> bool:
    return " dragoman/" in frame


def rank(stacks: Iterable[tuple[Stack, int]], count: int = 10) -> list[Hot]:
    """Our functions by how often one was the innermost of ours, which charges it for the libraries that it calls."""
    itself: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    total = 0
    for stack, samples in stacks:
        total += samples
        own = [frame for frame in stack if is_own(frame)]
        if own:
            itself[own[-1]] += samples
        for frame in set(own):
            whole[frame] += samples
    return [
        Hot(name, 100 * samples / total, 100 * whole[name] / total)
        for name, samples in itself.most_common(count)
    ]


def grow(stacks: Iterable[tuple[Stack, int]]) -> Node:
    """The tree of all stacks, from where the event loop runs what is ready."""
    root = Node("all")
    for whole, samples in stacks:
        root.samples += samples
        stack = whole[_find_loop(whole) :]
        node = root
        for frame in stack:
            node = node.below.setdefault(frame, Node(frame))
            node.samples += samples
    return root


def _find_loop(stack: Stack) -> int:
    """How many frames lead to the event loop: always the same, so that they say nothing."""
    return max((at + 1 for at, frame in enumerate(stack) if frame.startswith(LOOPS)), default=0)
