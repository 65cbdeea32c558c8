"""What an author is told while an agent is being written."""

from dragoman.model import DragomanError


class AuthoringError(DragomanError, TypeError):
    """A function that cannot be a skill, or an agent that cannot be built; the message says what to change."""
