# mypy: ignore-errors
# The official SDK is not installed where types are checked.
"""`python -m benchmarks.clients.official URL SECONDS`: the official SDK's client sends, many callers at once."""

import asyncio
import sys
from uuid import uuid4

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, SendMessageRequest

from benchmarks.clients.counting import count_calls


async def main(url, seconds):
    async with httpx.AsyncClient(timeout=60) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        config = ClientConfig(streaming=False, httpx_client=http, supported_protocol_bindings=["JSONRPC"])
        client = ClientFactory(config).create(card)

        async def call():
            message = Message(message_id=uuid4().hex, role=Role.ROLE_USER, parts=[Part(text="hello world")])
            request = SendMessageRequest(message=message)
            request.metadata.update({"skill": "echo"})
            events = [event async for event in client.send_message(request)]
            return events[0].task.artifacts[0].parts[0].text == "hello world"

        await count_calls(call, seconds)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
