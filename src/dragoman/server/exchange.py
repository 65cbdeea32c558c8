"""One request and its answer: the order of things that both bindings share."""

from typing import Protocol

from starlette.types import Receive, Scope, Send

from dragoman.model import A2AError
from dragoman.server.failures import ClientGoneError, explain


class Deliverable(Protocol):
    """An answer that knows how to send itself."""

    async def deliver(self, receive: Receive, send: Send) -> None: ...


class Exchange(Protocol):
    """A request being answered in one binding."""

    async def answer(self, scope: Scope, receive: Receive) -> Deliverable:
        """Carry the request out."""
        ...

    def refuse(self, error: A2AError) -> Deliverable:
        """Say what went wrong, in the words of the binding and of as much of the request as was understood."""
        ...


async def conduct(exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request, whatever happens."""
    try:
        reply = await exchange.answer(scope, receive)
    except ClientGoneError:
        return
    except Exception as error:  # noqa: BLE001 — explain() logs what the protocol has no word for
        reply = exchange.refuse(explain(error))
    await reply.deliver(receive, send)
