"""Three purchases, each killed at another bad moment: make approval, or python -m examples.approval.demo"""

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from dragoman import Client, Task
from dragoman.client import TaskHandle
from dragoman.model import DragomanError
from examples.approval.ledger import Ledger
from examples.approval.serving import Shop, serve

PURCHASE = {"item": "bicycle", "price": 450}
SECONDS_TO_WAIT = 30


@dataclass(frozen=True, slots=True)
class Moment:
    """When the process is killed. `point` is where the agent stops for that, or empty: while it waits for the answer."""

    title: str
    point: str = ""


MOMENTS = (
    Moment("killed between question and answer"),
    Moment("killed between answer and payment", "approved"),
    Moment("killed right after the payment, before the agent could note that it has paid", "paid"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a purchase ended: its task, the payments that were made, and how often the agent asked for one."""

    task: Task
    payments: int
    requests: int

    @property
    def is_as_promised(self) -> bool:
        return self.task.state.name == "COMPLETED" and self.payments == 1


class SurpriseError(Exception):
    """Something differs from what the demo says."""


def tell(text: str) -> None:
    print(f"   {text}", flush=True)


async def buy(moment: Moment, folder: Path) -> Outcome:
    """Buy something from an agent that is killed at that moment, and started again."""
    async with serve(folder, pause_at=moment.point) as shop, Client(shop.url) as client:
        tell(f"process {shop.process.pid} serves the agent")
        task = await order(client)
        if moment.point:
            await answer(task, is_hasty=True)
            await wait_for(folder / moment.point)
            tell(f"the agent has come to the point {moment.point!r}")
        await kill(shop)
    async with serve(folder) as shop, Client(shop.url) as client:
        tell(f"process {shop.process.pid} serves the agent again, from the same file")
        again = client.task(task.id)
        if not moment.point:
            await answer(again)
        ended = await again.result(deadline=SECONDS_TO_WAIT)
    tell(f"it says   {again.text}   {ended.state.name}")
    return Outcome(ended, *Ledger(folder).count())


async def order(client: Client) -> TaskHandle:
    task = await client.send(PURCHASE)
    if not isinstance(task, TaskHandle):
        raise SurpriseError(f"the agent should have made a task, and answered {task!r}")
    tell(f"it asks   {task.text}   {task.state.name}")
    return task


async def answer(task: TaskHandle, *, is_hasty: bool = False) -> None:
    """Say yes; without waiting for what comes of it, if that is never to come."""
    tell("we say    yes")
    await task.reply("yes", return_immediately=is_hasty)


async def wait_for(marker: Path) -> None:
    """Until another process has made the file, which rings no bell here."""
    async with asyncio.timeout(SECONDS_TO_WAIT):
        while not await asyncio.to_thread(marker.exists):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def kill(shop: Shop) -> None:
    await shop.kill()
    tell(f"kill -9   process {shop.process.pid} is gone")


async def run(folder: Path) -> None:
    for number, moment in enumerate(MOMENTS, 1):
        print(f"\n{number}. A purchase, {moment.title}", flush=True)
        place = folder / str(number)
        place.mkdir()
        outcome = await buy(moment, place)
        tell(
            f"payments  {outcome.payments}, after {outcome.requests} {'request' if outcome.requests == 1 else 'requests'}"
        )
        if not outcome.is_as_promised:
            raise SurpriseError("it should have been completed, and paid once")
        tell("✓ it ended once, and was paid once")


def main() -> int:
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="dragoman-approval-") as folder:
            asyncio.run(run(Path(folder)))
    except (SurpriseError, DragomanError, RuntimeError, TimeoutError) as error:
        print(f"\n✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\nThree purchases, three kills, three payments, in {time.monotonic() - started:.1f} seconds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
