# mypy: ignore-errors
# fasta2a is not installed where types are checked.
"""fasta2a's agent; what it does depends on the first word of a message."""

import uuid
from contextlib import asynccontextmanager

from fasta2a import FastA2A, Worker
from fasta2a.broker import InMemoryBroker
from fasta2a.schema import Artifact
from fasta2a.storage import InMemoryStorage


class Bench(Worker):
    async def run_task(self, params):
        task = await self.storage.load_task(params["id"])
        text = task["history"][-1]["parts"][0]["text"]
        await self.storage.update_task(task["id"], state="working")
        if text.startswith("stream"):
            await self._stream(task, int(text.split()[1]))
        artifact = Artifact(artifact_id=str(uuid.uuid4()), name="echo", parts=[{"text": text}])
        await self.storage.update_task(task["id"], state="completed", new_artifacts=[artifact])

    async def _stream(self, task, count):
        for number in range(count):
            artifact = Artifact(artifact_id="a1", parts=[{"text": f"chunk {number} "}])
            await self.publish_artifact(
                task["id"], task["context_id"], artifact, append=number > 0, last_chunk=number == count - 1
            )

    async def cancel_task(self, params): ...

    def build_message_history(self, history):
        return history

    def build_artifacts(self, result):
        return []


storage = InMemoryStorage()
broker = InMemoryBroker()
worker = Bench(storage=storage, broker=broker)


@asynccontextmanager
async def lifespan(app):
    async with app.task_manager, worker.run():
        yield


app = FastA2A(storage=storage, broker=broker, lifespan=lifespan)
