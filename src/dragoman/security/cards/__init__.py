"""Signed cards: who wrote what an agent says of itself (SPEC 4.5)."""

from dragoman.security.cards.jose import Algorithm, BadKeyError
from dragoman.security.cards.signer import CardSigner, build_key_set
from dragoman.security.cards.verifier import CardVerifier, SignedBy

__all__ = ["Algorithm", "BadKeyError", "CardSigner", "CardVerifier", "SignedBy", "build_key_set"]
