"""`python -m benchmarks.clients.ours URL SECONDS`: Dragoman's client sends, many callers at once."""

import asyncio
import sys

from benchmarks.clients.counting import count_calls
from dragoman import Client


async def main(url: str, seconds: float) -> None:
    async with Client(url) as client:

        async def call() -> bool:
            answer = await client.send("hello world", skill="echo")
            return str(answer.text) == "hello world"

        await count_calls(call, seconds)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
