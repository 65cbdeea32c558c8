"""What an author says of an agent, checked where it is said: AuthoringError for what cannot be."""

import re
from collections.abc import Iterable, Sequence

from dragoman.agent.errors import AuthoringError
from dragoman.agent.handler import ExtendedCard
from dragoman.engine.extension import Named
from dragoman.engine.extensions import Extensions
from dragoman.model import Generation
from dragoman.security import Authenticator, admit_everyone

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
_TAKEN = frozenset({"tasks", "message", "extendedAgentCard", "agent", "healthz", "readyz", "v1"})
"""First segments of paths that an agent has, in any generation of the protocol."""


def check_extended_card(card: ExtendedCard | None, authenticator: Authenticator) -> None:
    """It is for callers who have shown who they are."""
    if card is not None and authenticator is admit_everyone:
        raise AuthoringError("an extended card is for authenticated callers: give an authenticator too")


def know_extensions(extensions: Sequence[Named]) -> Extensions:
    """The extensions, ready to be asked for."""
    try:
        return Extensions(extensions)
    except (TypeError, ValueError) as error:
        raise AuthoringError(str(error)) from error


def check_tenants(tenants: Sequence[str] | None) -> frozenset[str] | None:
    """The tenants; AuthoringError for one that could not stand in a path, or would be taken for something else."""
    if tenants is None:
        return None
    if isinstance(tenants, str) or not all(map(_TENANT.fullmatch, tenants)):
        raise AuthoringError(f"tenants are a list of names of letters, digits, '-' and '_', not {tenants!r}")
    if taken := sorted(_TAKEN.intersection(tenants)):
        raise AuthoringError(f"a tenant cannot be called {taken[0]!r}: that path is something else already")
    return frozenset(tenants)


def check_named(name: str, version: str) -> None:
    """The card shows both."""
    if not name or not version:
        raise AuthoringError("an agent needs a name and a version: the card shows both")


def check_generations(generations: Iterable[object]) -> frozenset[Generation]:
    """The generations of the protocol that are served: one or more."""
    given = tuple(generations)
    chosen = frozenset(entry for entry in given if isinstance(entry, Generation))
    if not given or not all(entry in chosen for entry in given):
        raise AuthoringError("generations are one or more of dragoman.model.Generation")
    return chosen
