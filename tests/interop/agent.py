"""Our agent of the interop matrix: it obeys `tests/peer/words.md`."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec

from dragoman import Agent, Context, Limits, Message, Part, Principal
from dragoman.model import AgentCard, AgentSkill
from dragoman.security import Credentials, EgressPolicy
from dragoman.server import GrpcOptions
from dragoman.server.webhooks import WebhookOptions

EXTRA = AgentSkill(id="extra", name="extra", description="For callers with a name", tags=("test",))


def make_agent() -> Agent:
    """An agent for every binding that we serve, with an extended card and webhooks to loopback."""
    agent: Agent = Agent(
        "Obedient",
        "Does what the first word says",
        tags=["test"],
        authenticator=admit_as_peer,
        extended_card=lambda _: extend(agent.card_facts()),
        limits=Limits(drain_timeout=timedelta()),
        webhooks=WebhookOptions(egress=EgressPolicy.allowing(["127.0.0.0/8"])),
        grpc=GrpcOptions(port=0),
    )
    agent.skill(Obedience().obey)
    return agent


async def admit_as_peer(credentials: Credentials) -> Principal:
    """Everybody is the peer: the extended card wants a name."""
    return Principal(subject="peer")


def extend(card: AgentCard) -> AgentCard:
    return msgspec.structs.replace(card, skills=(*card.skills, EXTRA))


class Obedience:
    """One skill for all rows."""

    def __init__(self) -> None:
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def obey(self, message: Message, ctx: Context) -> AsyncIterator[str | Part]:
        """Do what the first word says."""
        word, _, name = message.text.partition(" ")
        match word:
            case "count":
                for piece in ("one ", "two ", "three"):
                    yield piece
            case "ask":
                yield f"{await ctx.ask('which colour?')} {await ctx.ask('which size?')}"
            case "hold":
                await self._gates[name].wait()
                yield "held"
            case "open":
                self._gates[name].set()
                yield "opened"
            case "":
                (file,) = message.parts
                yield file
                yield f"{len(file.raw or b'')} bytes"
            case _:
                yield message.text
