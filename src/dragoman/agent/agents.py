"""Several agents on one server."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dragoman.agent.agent import Agent
from dragoman.agent.errors import AuthoringError
from dragoman.server.headers import relative_path
from dragoman.server.startup import Startup
from dragoman.wire import codec


class Agents:
    """An ASGI app with each agent below a path of its own, one lifespan for all, and their cards at `/`.

    ```python
    app = Agents({"/weather": weather, "/flights": flights})
    ```

    With `url`, the public address of the whole, agents that have none get theirs from it.
    """

    def __init__(self, agents: Mapping[str, Agent], *, url: str | None = None) -> None:
        self.agents = {_check_path(path): agent for path, agent in agents.items()}
        _check_distinct(list(agents.values()))
        self._longest_first = sorted(self.agents.items(), key=lambda entry: -len(entry[0]))
        self._startup = Startup(self._start_all, self._stop_all)
        self._running = AsyncExitStack()
        for path, agent in self.agents.items():
            if url is not None and agent.url is None:
                agent.configure(url=url.rstrip("/") + path)

    async def start(self) -> None:
        """Start every agent; needed only where no lifespan reaches the app."""
        await self._startup.start()

    async def stop(self) -> None:
        """Stop every agent."""
        await self._startup.stop()

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
        if path in ("", "/") and scope["type"] == "http":
            return self._index(scope), scope
        return PlainTextResponse(
            f"no agent here; there are: {', '.join(self.agents)}\n", status_code=404
        ), scope

    def _index(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        cards = [agent.card_at(_descend(scope, path)) for path, agent in self.agents.items()]
        return Response(codec.encode({"agents": cards}), media_type="application/json")

    async def _start_all(self) -> None:
        async with AsyncExitStack() as started:
            for agent in self.agents.values():
                await agent.start()
                started.push_async_callback(agent.stop)
            self._running = started.pop_all()

    async def _stop_all(self) -> None:
        await self._running.aclose()


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
