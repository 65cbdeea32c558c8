"""Whom a person trusts to sign cards, as options of a command."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from dragoman.cli.failures import CommandError
from dragoman.security.cards import CardVerifier

F = TypeVar("F", bound=Callable[..., Any])


def trust_options(command: F) -> F:
    """`jwks` and `jku_allow`, of which `make_verifier` makes a verifier."""
    jwks = click.option(
        "--jwks",
        metavar="FILE|URL",
        help="Demand a signature by one of these keys: a JSON Web Key Set.",
    )
    allow = click.option(
        "--jku-allow",
        multiple=True,
        metavar="URL",
        help="Demand a signature by keys that lie below this https URL; may be given more than once.",
    )
    return jwks(allow(command))


def make_verifier(jwks: str | None, jku_allow: Sequence[str]) -> CardVerifier | None:
    """What decides whether a card is trusted; None if nothing is demanded, CommandError for keys that are none."""
    if jwks is None and not jku_allow:
        return None
    try:
        keys = jwks if jwks is None or "://" in jwks else json.loads(Path(jwks).read_bytes())
        return CardVerifier(jwks=keys, jku_allow=jku_allow)
    except OSError as error:
        raise CommandError(f"the key set {jwks!r} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise CommandError(f"the keys cannot be used: {error}") from None
