"""An author's agent made ready to serve, in this process or in one that uvicorn starts."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from dragoman.agent import Agent, Agents
from dragoman.cli.draining import Draining
from dragoman.cli.exits import Exit
from dragoman.cli.failures import CommandError
from dragoman.cli.gathering import Place, gather
from dragoman.cli.listening import CAN_SHARE_PORTS
from dragoman.cli.loading import App, read_target
from dragoman.cli.logs import set_up_logs
from dragoman.model import A2AError, DragomanError
from dragoman.server import AgentApp, GrpcOptions
from dragoman.store import TaskStore, open_store

VARIABLE = "DRAGOMAN_SERVE"
FACTORY = "dragoman.cli.hosting:make_app"
MEMORY = "memory:"
LOCAL = "local:"
FOLDER = ".dragoman"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """What to serve and how. An empty `store` leaves the choice to the agent; `keeps` gives one without a file of its target's.

    What is at work when it is told to stop has `drain_seconds` to finish; None leaves that to the agent, too.
    """

    targets: Sequence[str]
    store: str = ""
    keeps: bool = False
    public_url: str = ""
    log_level: str = "info"
    drain_seconds: float | None = None
    host: str = "127.0.0.1"
    workers: int = 1
    grpc_port: int | None = None
    grpc_cert: str = ""
    grpc_key: str = ""
    grpc_client_ca: str = ""
    reloads: bool = False

    def publish(self) -> None:
        """Leave it to the processes that this one starts."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def inherit(cls) -> "Hosting":
        return cls(**json.loads(os.environ[VARIABLE]))


def prepare_app(hosting: Hosting) -> App:
    """Load the app and tell it where its tasks lie and how it is reached; CommandError if that cannot be."""
    app, places = gather(hosting.targets)
    if hosting.grpc_port is not None and len(places) > 1:
        raise CommandError(
            "--grpc-port is for one agent, because gRPC has no paths to tell several apart; "
            "give each a port of its own: Agent(..., grpc=GrpcOptions(port=50051))"
        )
    for place in places:
        _configure(place, hosting)
        _compose(place.agent)
    return app


def make_app() -> Draining:
    """The app of a process that uvicorn started."""
    hosting = Hosting.inherit()
    set_up_logs(hosting.log_level)
    try:
        return Draining(prepare_app(hosting))
    except DragomanError as error:
        advice = "; waiting for a change" if hosting.reloads else ""
        print(f"{error}{advice}", file=sys.stderr, flush=True)
        sys.exit(Exit.USAGE)


def list_agents(app: App) -> dict[str, Agent]:
    """The agents by the path that each is mounted at; one that is served alone has the empty one."""
    return dict(app.agents) if isinstance(app, Agents) else {"": app}


def get_patience(app: App) -> float:
    """Seconds after which an app that was told to stop has ended what it had begun."""
    limits = [agent.limits for agent in list_agents(app).values()]
    return max((one.drain_timeout + one.cancel_grace).total_seconds() for one in limits)


def list_stores(app: App) -> list[TaskStore]:
    """The stores of an app's agents, each place once."""
    return list({agent.store.location: agent.store for agent in list_agents(app).values()}.values())


def choose_default_store(target: str) -> str:
    """A SQLite file for the target, in a folder of our own below the working directory."""
    return f"sqlite:///{FOLDER}/{read_target(target).name}.db"


def check_stores(app: App) -> None:
    """Open and close every store once, so that a wrong one is told before anything is served."""
    for store in list_stores(app):
        if store.location != MEMORY:
            _make_folder(store.location)
            asyncio.run(_try_store(store.location))


async def _try_store(url: str) -> None:
    try:
        async with open_store(url):
            pass
    except A2AError as error:
        raise CommandError(f"the tasks cannot be kept at {url}: {error.message}") from error


def _configure(place: Place, hosting: Hosting) -> None:
    agent = place.agent
    url = hosting.public_url and hosting.public_url.rstrip("/") + place.path
    try:
        agent.configure(store=_choose_store(hosting, place), url=url or None)
    except ValueError as error:
        raise CommandError(str(error)) from None
    if agent.bus == LOCAL and agent.store.location.startswith("sqlite:"):
        # Another process may serve the same file, started here or by itself; so each hears of the other without delay.
        agent.configure(bus="sqlite:")
    _configure_grpc(agent, hosting)
    if hosting.drain_seconds is not None:
        patience = timedelta(seconds=hosting.drain_seconds)
        agent.configure(limits=replace(agent.limits, drain_timeout=patience))


def _configure_grpc(agent: Agent, hosting: Hosting) -> None:
    """Where to listen for gRPC, if it does; what the command line says goes before what the agent says."""
    options = agent.grpc
    if hosting.grpc_port is not None:
        options = GrpcOptions(
            host=hosting.host,
            port=hosting.grpc_port,
            certificate=hosting.grpc_cert,
            key=hosting.grpc_key,
            client_ca=hosting.grpc_client_ca,
            shares_port=CAN_SHARE_PORTS,  # the port is kept for it by a socket that does not listen
        )
    if options is None:
        return
    if hosting.workers > 1:
        options = replace(options, shares_port=True)
        if not CAN_SHARE_PORTS:
            raise CommandError("workers cannot share a port for gRPC on this system; use --workers 1")
        if not options.port:
            raise CommandError(f"{agent.name!r} takes any port for gRPC, and workers need the same; name it")
    agent.configure(grpc=options)


def _compose(agent: Agent) -> AgentApp:
    """Put the agent together, so that what is wrong with it is told before it is served."""
    if not agent.skills:
        raise CommandError(f"{agent.name!r} has no skills yet; put @agent.skill above a function")
    return agent.app


def _choose_store(hosting: Hosting, place: Place) -> str | None:
    """An agent that names a store of its own keeps it, unless somebody who serves it says otherwise."""
    if hosting.store:
        return hosting.store
    return (
        choose_default_store(place.target) if hosting.keeps and place.agent.store.location == MEMORY else None
    )


def _make_folder(location: str) -> None:
    """Make our own folder if the store lies in it; nothing in it belongs into version control."""
    folder = Path(location.removeprefix("sqlite:///")).parent
    if folder.name != FOLDER or folder.exists():
        return
    try:
        folder.mkdir()
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"the folder {folder} for the tasks cannot be made: {error.strerror}; choose a place with --store"
        ) from error
