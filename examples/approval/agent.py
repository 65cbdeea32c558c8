"""A purchase that asks for approval and then pays: once, whatever becomes of the process in between."""

import asyncio
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from dragoman import Agent, Context, Limits
from dragoman.agent import Attempt
from examples.approval.ledger import Ledger

FOLDER = Path(os.environ.get("APPROVAL_FOLDER", "."))
"""Where the ledger lies."""
PAUSE_AT = os.environ.get("APPROVAL_PAUSE_AT", "")
"""Where the agent is to stop and wait to be killed; for the demo alone."""

# A process is taken for dead after a second of silence, so that the demo need not wait for the usual fifteen.
agent = Agent("Purchasing", "Buys what you approve of", limits=Limits(lease=timedelta(seconds=1)))


@dataclass
class Receipt:
    """What was paid, and the number of the payment in the ledger."""

    number: int
    item: str
    price: int


@agent.skill(examples=['{"item": "bicycle", "price": 450}'])
async def buy(item: str, price: int, ctx: Context) -> Receipt | str:
    """Buy something, if you approve of the price."""
    if not await ctx.confirm(f"Shall I buy a {item} for {price} euros?"):
        return f"No {item} then."
    await asyncio.to_thread(pause_at, "approved")
    return await ctx.step(pay, item, price)


def pay(attempt: Attempt, item: str, price: int) -> Receipt:
    """Pay. A bank can tell by the key that it has been asked before; here the ledger does."""
    number = Ledger(FOLDER).enter(attempt.key, item, price)
    pause_at("paid")
    return Receipt(number, item, price)


def pause_at(point: str) -> None:
    """Say that the agent has come to this point, and stay there, if that is what it was started for."""
    if point == PAUSE_AT:
        (FOLDER / point).touch()
        time.sleep(3600)
