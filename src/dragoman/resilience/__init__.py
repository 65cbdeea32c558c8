"""What keeps a failure of one from becoming a failure of all."""

from dragoman.resilience.backoff import Backoff

__all__ = ["Backoff"]
