# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""The official SDK signs cards, or checks them: `python -m tests.peer.official_cards sign|verify`, JSON in and JSON out."""

import asyncio
import json
import sys
from typing import Any

import httpx
import jwt
from a2a.client import A2ACardResolver
from a2a.server.routes import create_agent_card_routes
from a2a.types import AgentCard
from a2a.utils.signing import (
    SignatureVerificationError,
    create_agent_card_signer,
    create_signature_verifier,
)
from google.protobuf.json_format import ParseDict
from starlette.applications import Starlette


async def sign(told: dict[str, Any]) -> Any:
    """The card with a signature for each of `keys`, as the SDK serves it."""
    card = ParseDict(told["card"], AgentCard(), ignore_unknown_fields=True)
    for key in told["keys"]:
        header = {"kid": key["kid"], "alg": key["alg"], "typ": "JOSE"}
        create_agent_card_signer(jwt.PyJWK(key), header)(card)
    app = Starlette(routes=create_agent_card_routes(card))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://official") as client:
        return (await client.get("/.well-known/agent-card.json")).text


async def verify(told: dict[str, Any]) -> Any:
    """What the SDK says about the signatures of the card at `url`, or of `card`, as its client reads it."""
    keys = {key["kid"]: jwt.PyJWK(key) for key in told["keys"]}

    def find(kid: str | None, _: str | None) -> jwt.PyJWK:
        if kid not in keys:
            raise jwt.InvalidKeyError(f"no key {kid!r}")
        return keys[kid]

    verifier = create_signature_verifier(find, [key["alg"] for key in told["keys"]])
    transport = (
        httpx.MockTransport(lambda _: httpx.Response(200, text=told["card"])) if "card" in told else None
    )
    async with httpx.AsyncClient(transport=transport) as client:
        resolver = A2ACardResolver(client, told.get("url", "http://official"))
        try:
            card = await resolver.get_agent_card(signature_verifier=verifier)
        except SignatureVerificationError as error:
            return f"{type(error).__name__}: {error}"
    return f"good: {card.name}"


async def main() -> None:
    work = {"sign": sign, "verify": verify}[sys.argv[1]]
    print(json.dumps([await work(told) for told in json.load(sys.stdin)]))  # noqa: T201 - read by the test


if __name__ == "__main__":
    asyncio.run(main())
