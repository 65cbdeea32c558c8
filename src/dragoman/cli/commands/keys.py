"""`dragoman keys`."""

import os
from pathlib import Path

import click

from dragoman.cli.failures import CommandError
from dragoman.cli.output import Output, output_option
from dragoman.cli.teaching import TeachingGroup
from dragoman.security.cards import Algorithm, CardSigner, build_key_set
from dragoman.wire.codec import encode


@click.group(cls=TeachingGroup, short_help="Make the keys that cards are signed with.")
def command() -> None:
    """Make the keys that cards are signed with.

    dragoman keys new card-key.json
    dragoman keys public card-key.json
    """


@command.command(short_help="Make a private key.")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--algorithm",
    type=click.Choice([algorithm.value for algorithm in Algorithm]),
    default=Algorithm.ES256.value,
    show_default=True,
    help="What the key signs with.",
)
@click.option("--kid", default="", metavar="ID", help="The id of the key. Default: its thumbprint.")
@output_option
def new(file: Path, algorithm: str, kid: str, out: Output) -> None:
    """Make a private key and write it to a new FILE, as a JWK that its owner alone can read.

    An agent signs its card with it by Agent(..., signer=CardSigner.load("card-key.json")). Prints the public key.

      dragoman keys new card-key.json
      dragoman keys new card-key.json --algorithm EdDSA --kid 2026-11
    """
    signer = CardSigner.generate(algorithm, kid=kid)
    _write(file, encode(signer.private_jwk) + b"\n")
    out.document(build_key_set([signer]))
    out.say(f"kid        {signer.kid}\nalgorithm  {signer.algorithm.value}")
    out.tick(f"the private key is in {file}; keep it secret, and back it up")


@command.command(short_help="Print the public keys of private ones, for those who verify.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def public(files: tuple[Path, ...]) -> None:
    """Print the public keys of private ones as a JSON Web Key Set, for those who verify cards.

    An agent that signs its card serves the same at /.well-known/jwks.json.

      dragoman keys public old-key.json new-key.json > jwks.json
    """
    Output(as_json=True).document(build_key_set(map(_load, files)))


def _write(file: Path, body: bytes) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(
            f"{str(file)!r} is there already; a key is not written over, choose another name"
        ) from None
    except OSError as error:
        raise CommandError(f"the file {str(file)!r} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "wb") as sink:
        sink.write(body)


def _load(file: Path) -> CardSigner:
    try:
        return CardSigner.load(file)
    except OSError as error:
        raise CommandError(f"the file {str(file)!r} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise CommandError(f"{str(file)!r}: {error}") from None
