"""Calls the valley and shows what comes back: python -m examples.echo.client URL TEXT"""

import asyncio
import sys

from dragoman import Client
from dragoman.model import TaskArtifactUpdateEvent, TaskStatusUpdateEvent


async def call(url: str, text: str) -> None:
    async with Client(url) as valley:
        card = await valley.card()
        print(f"{card.name}: {card.description}")
        async for event in valley.stream(text):
            match event:
                case TaskStatusUpdateEvent(status=status):
                    print(f"  {status.state.name}")
                case TaskArtifactUpdateEvent(artifact=artifact):
                    print(f"  {[part.text or part.data for part in artifact.parts]}")
                case _:
                    pass


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    asyncio.run(call(sys.argv[1], sys.argv[2]))
