"""Who calls, what they may reach, and what the agent may reach on their behalf."""

from dragoman.security.egress import EgressDeniedError, EgressPolicy
from dragoman.security.principal import (
    ANONYMOUS,
    Authenticator,
    Credentials,
    PeerCertificate,
    Principal,
    admit_everyone,
)
from dragoman.security.signatures import SignatureError, StaleTimestampError, make_secret

__all__ = [
    "ANONYMOUS",
    "Authenticator",
    "Credentials",
    "EgressDeniedError",
    "EgressPolicy",
    "PeerCertificate",
    "Principal",
    "SignatureError",
    "StaleTimestampError",
    "admit_everyone",
    "make_secret",
]
