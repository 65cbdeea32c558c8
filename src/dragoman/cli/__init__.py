"""What a person types: `dragoman serve`, `send`, `chat` and the rest."""

from dragoman.cli.root import main

__all__ = ["main"]
