"""Who calls, and what they may reach."""

from dragoman.security.principal import ANONYMOUS, Authenticator, Credentials, Principal, admit_everyone

__all__ = ["ANONYMOUS", "Authenticator", "Credentials", "Principal", "admit_everyone"]
