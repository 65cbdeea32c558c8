"""The log of a served agent, on stderr."""

import logging
import sys

LEVELS = ("debug", "info", "warning", "error", "critical")


def set_up_logs(level: str) -> None:
    """Everybody's log at `level`, but not the chatter of asyncio and of uvicorn about themselves."""
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
    for name in ("asyncio", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
