# mypy: ignore-errors
# The official SDK is not installed where types are checked.
"""The official SDK's agent; what it does depends on the first word of a message."""

import asyncio
import gc
import os
from uuid import uuid4

from a2a.helpers import new_task_from_user_message, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Part, Role, TaskState
from starlette.applications import Starlette

FAN_OUT_CHUNKS = 50
FAN_OUT_BYTES = 2000
MODES = ["text/plain", "application/octet-stream"]


class Worker(AgentExecutor):
    def __init__(self):
        self._gates = {}

    async def execute(self, context, event_queue):
        text = context.get_user_input()
        word = text.partition(" ")[0]
        if word == "message":
            reply = new_text_message(text, context_id=context.context_id, role=Role.ROLE_AGENT)
            await event_queue.enqueue_event(reply)
            return
        task = context.current_task
        if task is None:
            task = new_task_from_user_message(context.message)
            await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await getattr(self, f"_{word}", self._echo)(context, updater, text)

    async def cancel(self, context, event_queue):
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()

    async def _echo(self, context, updater, text):
        parts = [new_text_part(text)] if text else list(context.message.parts)
        await updater.add_artifact(parts, name="echo", last_chunk=True)
        await updater.complete()

    async def _stream(self, context, updater, text):
        count = int(text.split()[1])
        for number in range(count):
            part = Part(text=f"chunk {number} ")
            await updater.add_artifact(
                [part], artifact_id="a1", append=number > 0, last_chunk=number == count - 1
            )
        await updater.complete()

    async def _ask(self, context, updater, text):
        await updater.requires_input(updater.new_agent_message([new_text_part("what else?")]))

    async def _hold(self, context, updater, text):
        await updater.start_work()
        _, name, *given = text.split()
        await self._gate(name).wait()
        count = int(given[0]) if given else FAN_OUT_CHUNKS
        for number in range(count):
            part = Part(text="x" * FAN_OUT_BYTES)
            await updater.add_artifact(
                [part], artifact_id="a1", append=number > 0, last_chunk=number == count - 1
            )
        await updater.complete()

    async def _open(self, context, updater, text):
        self._gate(text.split()[1]).set()
        await updater.complete()

    def _gate(self, name):
        return self._gates.setdefault(name, asyncio.Event())


async def fill(store, count):
    """Put finished tasks into the store without the requests that would make them."""
    from a2a.server.context import ServerCallContext
    from a2a.types import Artifact, Message, Task, TaskStatus

    context = ServerCallContext()
    for _ in range(count):
        task_id, context_id = str(uuid4()), str(uuid4())
        status = TaskStatus(state=TaskState.TASK_STATE_COMPLETED)
        status.timestamp.GetCurrentTime()
        part = Part(text="hello world")
        message = Message(message_id=uuid4().hex, role=Role.ROLE_USER, parts=[part])
        artifacts = [Artifact(artifact_id=str(uuid4()), parts=[part])]
        task = Task(id=task_id, context_id=context_id, status=status, history=[message], artifacts=artifacts)
        await store.save(task, context)


def record_spans():
    """Every span is recorded, batched and handed to an exporter that drops it."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans):
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    trace.set_tracer_provider(provider)


def build_app():
    card = AgentCard(
        name="official",
        description="An agent of the official SDK",
        version="1",
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=MODES,
        default_output_modes=MODES,
        skills=[AgentSkill(id="any", name="any", description="Does what the first word says", tags=["test"])],
        supported_interfaces=[
            AgentInterface(
                url=os.environ["BENCH_URL"] + "/", protocol_binding="JSONRPC", protocol_version="1.0"
            )
        ],
    )
    store = InMemoryTaskStore()
    if count := int(os.environ.get("BENCH_FILL", "0")):
        asyncio.run(fill(store, count))
    handler = DefaultRequestHandler(agent_executor=Worker(), task_store=store, agent_card=card)
    return Starlette(
        routes=[
            *create_agent_card_routes(card),
            *create_jsonrpc_routes(handler, "/"),
            *create_rest_routes(handler),
        ]
    )


if os.environ.get("BENCH_TRACED"):
    record_spans()
app = build_app()
if os.environ.get("BENCH_TUNED"):
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
