"""`python -m benchmarks.load`: reads an order in JSON on its input, loads a server, prints what came of it in JSON."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.load import steady, streams, tasks
from benchmarks.measuring.processes import LOAD_CORE, pin

JOBS: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
    "steady": steady.run,
    "fan out": streams.fan_out,
    "idle": streams.idle,
    "park": tasks.park,
    "fill": tasks.fill,
    "converse": tasks.converse,
    "swell": tasks.swell,
}


async def run(order: dict[str, Any]) -> dict[str, Any]:
    return await JOBS[order["job"]](order)


def main() -> None:
    pin(LOAD_CORE)
    gc.disable()  # what is made here is soon dropped; a collection would look like a slow answer
    factory = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    order = json.load(sys.stdin)
    with asyncio.Runner(loop_factory=factory) as runner:
        print(json.dumps(runner.run(run(order))))


if __name__ == "__main__":
    main()
