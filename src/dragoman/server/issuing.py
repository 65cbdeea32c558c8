"""Cards as they leave the house: with their addresses, and signed (SPEC 4.5)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

from dragoman.model import AgentCard
from dragoman.server.addresses import Addresses
from dragoman.wire import codec

if TYPE_CHECKING:
    from dragoman.security.cards import CardSigner

MAX_KEPT_CARDS = 64
"""Signed cards that are kept, so that reading a card costs no signature. There is one for each caller who has a card of its own."""


class CardIssuer:
    """Completes cards and signs them with every one of `signers`, so that keys can be changed while both are good.

    ValueError for a signer without a fixed address: whoever sends a `Host` of its own would get a signed card that names it.
    """

    def __init__(self, addresses: Addresses, signers: Sequence["CardSigner"] = ()) -> None:
        if signers and not addresses.is_fixed:
            raise ValueError(
                "a card that is signed names the public address of its agent: give url='https://...', for the address that a request "
                "names must not be signed"
            )
        self.addresses = addresses
        self.signers = tuple(signers)
        self._kept: dict[bytes, AgentCard] = {}

    @property
    def key_ids(self) -> str:
        """Which keys sign, as a text that changes when they do."""
        return " ".join(signer.kid for signer in self.signers)

    @property
    def key_set(self) -> dict[str, Any]:
        """The public keys, as a JWKS."""
        from dragoman.security.cards import build_key_set

        return build_key_set(self.signers)

    def complete(self, card: AgentCard, scope: Scope) -> AgentCard:
        """The card with its interfaces, unsigned."""
        return self.addresses.complete(card, scope)

    def issue(self, card: AgentCard, scope: Scope) -> AgentCard:
        """The card with its interfaces and signatures. One that its author has signed keeps those, too."""
        return self._signed(self.complete(card, scope))

    def issue_over_grpc(self, card: AgentCard) -> AgentCard:
        """The same for a caller over gRPC."""
        return self._signed(self.addresses.complete_over_grpc(card))

    def _signed(self, card: AgentCard) -> AgentCard:
        return self._sign(card) if self.signers else card

    def _sign(self, card: AgentCard) -> AgentCard:
        key = codec.encode(card)
        signed = self._kept.get(key)
        if signed is None:
            signed = card
            for signer in self.signers:
                signed = signer.sign(signed)
            self._kept[key] = signed
            if len(self._kept) > MAX_KEPT_CARDS:
                del self._kept[next(iter(self._kept))]
        return signed
