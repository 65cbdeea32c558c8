"""What keeps the store from growing for ever (I10)."""

import asyncio
import logging
from datetime import timedelta

from dragoman.engine.roster import Roster
from dragoman.model import A2AError

logger = logging.getLogger("dragoman.engine.upkeep")

_PAGE = 200
_PAUSE = timedelta(minutes=1)


class Upkeep:
    """Compacts the logs of tasks that have ended, and forgets them when their time is over."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    async def run(self) -> None:
        """Look after the store now and again, for ever."""
        while True:
            await asyncio.sleep(_PAUSE.total_seconds())
            try:
                await self.tidy()
            except A2AError:
                logger.warning("the store does not answer; old tasks are looked through later")
            except Exception:
                logger.exception("old tasks could not be looked through")

    async def tidy(self) -> None:
        """Compact and forget all that is due."""
        roster, limits = self._roster, self._roster.limits
        now = roster.clock().millis
        compacted = forgotten = _PAGE
        while compacted == _PAGE:
            compacted = await roster.store.compact(roster.agent, now - _millis(limits.compact_after), _PAGE)
        while forgotten == _PAGE:
            forgotten = await roster.store.forget(roster.agent, now - _millis(limits.retention), now, _PAGE)


def _millis(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
