"""Skills in a module whose annotations are strings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from dragoman.agent import Agent, Context

if TYPE_CHECKING:
    from decimal import Decimal

agent = Agent("Late")


class Order(BaseModel):
    item: str


@agent.skill
async def order(order: Order, ctx: Context) -> str:
    return order.item


def define_locally() -> Agent:
    local = Agent("Local")

    class Parcel(BaseModel):
        weight: int

    @local.skill
    def send(parcel: Parcel) -> str:
        return str(parcel.weight)

    @local.skill(id="again")
    def send_again(parcel: Parcel) -> str:
        return str(parcel.weight)

    return local


def define_unreadable() -> None:
    local = Agent("Unreadable")

    @local.skill
    def pay(amount: Decimal) -> str:
        return str(amount)
