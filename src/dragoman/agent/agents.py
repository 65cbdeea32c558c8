"""Several agents on one server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dragoman.agent.agent import Agent
from dragoman.agent.errors import AuthoringError
from dragoman.model import UnavailableError
from dragoman.server.card import CARD_PATH
from dragoman.server.headers import relative_path
from dragoman.server.startup import Startup
from dragoman.wire import codec


class Agents:
    """An ASGI app with each agent below a path of its own, one lifespan for all, and their cards at `/`.

    ```python
    app = Agents({"/weather": weather, "/flights": flights})
    ```

    With `url`, the public address of the whole, agents that have none get theirs from it. The well-known path of the whole says where the
    cards are, with HTTP 404: several agents have no card in common.
    """

    def __init__(self, agents: Mapping[str, Agent], *, url: str | None = None) -> None:
        self.agents = {_check_path(path): agent for path, agent in agents.items()}
        _check_distinct(list(agents.values()))
        self._longest_first = sorted(self.agents.items(), key=lambda entry: -len(entry[0]))
        self._startup = Startup(self._start_all, self._stop_all, self._drain_all)
        self._running = AsyncExitStack()
        self._pages = {
            "": self._index,
            "/": self._index,
            "/healthz": self._health,
            "/readyz": self._readiness,
            CARD_PATH: self._refer,
        }
        for path, agent in self.agents.items():
            if url is not None and agent.url is None:
                agent.configure(url=url.rstrip("/") + path)

    async def start(self) -> None:
        """Start every agent; needed only where no lifespan reaches the app."""
        await self._startup.start()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run every agent during an `async with` block, like `Agent.running`."""
        return self._startup.hold()

    async def drain(self) -> None:
        """Prepare every agent to stop, like `Agent.drain`."""
        await self._startup.drain()

    async def stop(self, *, at_once: bool = False) -> None:
        """Stop every agent, drained unless it is to be `at_once`."""
        await self._startup.stop(at_once=at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._startup.run_lifespan(receive, send)
            return
        app, below = self._find(scope)
        await app(below, receive, send)

    def _find(self, scope: Scope) -> tuple[ASGIApp, Scope]:
        path = relative_path(scope)
        for prefix, agent in self._longest_first:
            if path == prefix or path.startswith(prefix + "/"):
                return agent, _descend(scope, prefix)
        if scope["type"] == "http" and path in self._pages:
            return _serve(self._pages[path]), scope
        return PlainTextResponse(
            f"no agent here; there are: {', '.join(self.agents)}\n", status_code=404
        ), scope

    async def _index(self, scope: Scope) -> Response:
        cards = [agent.card_at(_descend(scope, path)) for path, agent in self.agents.items()]
        return Response(codec.encode({"agents": cards}), media_type="application/json")

    async def _refer(self, scope: Scope) -> Response:  # noqa: ARG002 - the shape of every page
        """There is no card for several agents; who asks for one learns where theirs are."""
        cards = "".join(f"  {path}{CARD_PATH}\n" for path in self.agents)
        return PlainTextResponse(
            f"several agents are here, each with a card of its own:\n{cards}", status_code=404
        )

    async def _health(self, scope: Scope) -> Response:  # noqa: ARG002 - the shape of every page
        return PlainTextResponse("ok\n", headers=_NO_STORE)

    async def _readiness(self, scope: Scope) -> Response:  # noqa: ARG002 - the shape of every page
        try:
            await self._startup.ensure()
        except UnavailableError as error:
            return PlainTextResponse(f"{error.message}\n", status_code=503, headers=_NO_STORE)
        if self._startup.is_draining:
            return PlainTextResponse("the agents are about to stop\n", status_code=503, headers=_NO_STORE)
        return PlainTextResponse("ready\n", headers=_NO_STORE)

    async def _start_all(self) -> None:
        async with AsyncExitStack() as started:
            for agent in self.agents.values():
                await agent.start()
                started.push_async_callback(agent.stop, at_once=True)  # they have been drained, all together
            self._running = started.pop_all()

    async def _drain_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for agent in self.agents.values():
                group.create_task(agent.drain())

    async def _stop_all(self) -> None:
        await self._running.aclose()


def _serve(page: Callable[[Scope], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            response = await page(scope)
        else:
            response = Response(status_code=405, headers={"Allow": "GET, HEAD"})
        await response(scope, receive, send)

    return app


_NO_STORE = {"Cache-Control": "no-store"}


def _descend(scope: Scope, prefix: str) -> Scope:
    """The scope as an app mounted at `prefix` sees it."""
    return {**scope, "root_path": scope.get("root_path", "") + prefix}


def _check_path(path: str) -> str:
    if not path.startswith("/") or (path.endswith("/") and path != "/"):
        raise AuthoringError(f"{path!r} is not a path for an agent; write it like '/weather'")
    return path.rstrip("/")


def _check_distinct(agents: list[Agent]) -> None:
    names = [agent.name for agent in agents]
    if len(set(names)) != len(names):
        raise AuthoringError(f"agents on one server need names of their own, for tasks go by them: {names}")
