"""Several agents under one address: what was typed, loaded and given its place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.agent import Agent, Agents, AuthoringError
from dragoman.cli.failures import CommandError
from dragoman.cli.loading import App, load_app, read_target

_NAMED = re.compile(r"(?P<name>[A-Za-z0-9_-]+)=(?P<target>.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """An agent at its path, which is empty for one that is served alone, and the target that it came from."""

    path: str
    agent: Agent
    target: str


def gather(targets: Sequence[str]) -> tuple[App, list[Place]]:
    """The app of one target as it is; of several, each below its name. CommandError if two would be in one place."""
    if len(targets) == 1:
        _, target = split_target(targets[0])
        app = load_app(target)
        return app, [Place(path, agent, target) for path, agent in _list_agents(app).items()]
    places: dict[str, Place] = {}
    for typed in targets:
        name, target = split_target(typed)
        for path, agent in _list_agents(load_app(target)).items():
            at = f"/{name or read_target(target).name}{path}"
            if at in places:
                raise CommandError(f"two agents would be at {at}; give one another name: NAME={target}")
            places[at] = Place(at, agent, target)
    try:
        return Agents({at: place.agent for at, place in places.items()}), list(places.values())
    except AuthoringError as error:
        raise CommandError(str(error)) from None


def split_target(typed: str) -> tuple[str, str]:
    """The name that was given to a target, or "", and the target."""
    found = _NAMED.fullmatch(typed)
    return (found["name"], found["target"]) if found else ("", typed)


def _list_agents(app: App) -> dict[str, Agent]:
    return dict(app.agents) if isinstance(app, Agents) else {"": app}
