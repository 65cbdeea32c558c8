"""`dragoman card`."""

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from dragoman.cli.cards import fetch_card, read_card_file
from dragoman.cli.exits import Exit
from dragoman.cli.options import headers_option, peer_options, timeout_option
from dragoman.cli.output import Output, output_option
from dragoman.cli.peers import Header
from dragoman.cli.readers import read_url
from dragoman.cli.showing import show_card
from dragoman.cli.teaching import TeachingGroup
from dragoman.cli.trusting import make_verifier, trust_options
from dragoman.cli.validation import Finding, Verdict, validate_card
from dragoman.client.cards import load_card


class ShowUnlessNamed(TeachingGroup):
    """`dragoman card URL` is `dragoman card show URL`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.command(cls=ShowUnlessNamed, short_help="Show an agent's card, or say what is wrong with it.")
def command() -> None:
    """Show an agent's card, or say what is wrong with it.

    dragoman card http://127.0.0.1:8000
    dragoman card validate http://127.0.0.1:8000
    dragoman card validate card.json
    """


@command.command(short_help="Show who an agent is and what it can do.")
@peer_options
@trust_options
@output_option
def show(
    *,
    url: str,
    headers: tuple[Header, ...],
    timeout: float | None,
    jwks: str | None,
    jku_allow: tuple[str, ...],
    out: Output,
) -> None:
    """Show who an agent is, where it answers, and what it can do.

    URL is the agent's address, or that of its card. With --json, the card as the agent serves it. With keys, it says
    who has signed the card, and the exit code is 1 if nobody has whose key is among them.

      dragoman card http://127.0.0.1:8000
      dragoman card http://127.0.0.1:8000 --json
      dragoman card https://agent.example.com --jwks trusted-keys.json
    """
    verifier = make_verifier(jwks, jku_allow)
    served = fetch_card(url, headers, timeout)
    card = load_card(served.body, served.place)
    signed_by = asyncio.run(verifier.verify(card, url=served.place)) if verifier else None
    out.document(msgspec.Raw(served.body))
    out.say(show_card(card))
    if signed_by:
        out.tick(f"the card is signed by {signed_by.kid!r} ({signed_by.algorithm.value})")


@command.command(short_help="Say what is wrong with a card.")
@click.argument("place", metavar="URL|FILE")
@headers_option
@timeout_option
@output_option
def validate(place: str, headers: tuple[Header, ...], timeout: float | None, out: Output) -> None:
    """Say what is wrong with a card: every reason, with the member that it is about.

    Takes the address of an agent or of its card, a file, or - for standard input. The exit code is 1 if the card is
    not valid; advice does not count.

      dragoman card validate http://127.0.0.1:8000
      dragoman card validate card.json --json
    """
    served = read_card_file(place) if _is_file(place) else fetch_card(read_url(place), headers, timeout)
    verdict = validate_card(served)
    out.document({"valid": verdict.is_valid, "problems": verdict.problems, "advice": verdict.advice})
    _tell(verdict, out)
    sys.exit(Exit.OK if verdict.is_valid else Exit.FAILED)


def _is_file(place: str) -> bool:
    if "://" in place:
        return False
    return place == "-" or place.endswith(".json") or Path(place).exists()


def _tell(verdict: Verdict, out: Output) -> None:
    for finding in verdict.problems:
        out.say(_describe(finding))
    for finding in verdict.advice:
        out.say(f"advice: {_describe(finding)}")
    if verdict.is_valid:
        out.tick("the card is valid")
    else:
        count = len(verdict.problems)
        out.cross(f"the card is not valid: {count} problem{'s' if count > 1 else ''}")


def _describe(finding: Finding) -> str:
    return f"{finding.field or 'the card'}: {finding.description}"
