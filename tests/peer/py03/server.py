# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""An agent of a2a-sdk 0.3 that obeys `words.md`: `python -m tests.peer.py03.server`. It prints its address, and ends with its input."""

import asyncio
import base64
from collections import defaultdict

import grpc.aio
import httpx
from a2a.grpc.a2a_pb2_grpc import add_A2AServiceServicer_to_server
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler, GrpcHandler
from a2a.server.tasks import (
    BasePushNotificationSender,
    InMemoryPushNotificationConfigStore,
    InMemoryTaskStore,
    TaskUpdater,
)
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Part, TextPart
from a2a.utils import new_task

from tests.peer.hosting import listen, serve

QUESTIONS = ["which colour?", "which size?"]
MODES = ["text/plain", "application/octet-stream", "application/x-test"]


class Obedient(AgentExecutor):
    """Does what the first word says."""

    def __init__(self) -> None:
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._answers: dict[str, list[str]] = {}

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        task = context.current_task
        if task is None:
            task = new_task(context.message)
            await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        text = context.get_user_input()
        word, _, name = text.partition(" ")
        if word == "ask" or task.id in self._answers:
            await self._ask(task.id, text, updater)
        elif word == "count":
            await self._count(updater)
        elif word == "hold":
            await updater.start_work()
            await self._gates[name].wait()
            await finish(updater, text_part("held"))
        elif word == "open":
            self._gates[name].set()
            await finish(updater, text_part("opened"))
        elif text:
            await finish(updater, text_part(text))
        else:
            (file,) = context.message.parts
            size = len(base64.b64decode(file.root.file.bytes))
            await finish(updater, file, text_part(f"{size} bytes"))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()

    async def _ask(self, task_id: str, text: str, updater: TaskUpdater) -> None:
        """Keep the answer, if it is one, and ask for what is missing."""
        if task_id in self._answers:
            self._answers[task_id].append(text)
        answers = self._answers.setdefault(task_id, [])
        if len(answers) < len(QUESTIONS):
            question = updater.new_agent_message([text_part(QUESTIONS[len(answers)])])
            await updater.requires_input(question, final=True)
        else:
            await finish(updater, text_part(" ".join(answers)))

    async def _count(self, updater: TaskUpdater) -> None:
        await updater.start_work()
        for number, piece in enumerate(["one ", "two ", "three"]):
            part = text_part(piece)
            await updater.add_artifact([part], artifact_id="a1", append=number > 0, last_chunk=number == 2)
        await updater.complete()


def text_part(text: str) -> Part:
    return Part(root=TextPart(text=text))


async def finish(updater: TaskUpdater, *parts: Part) -> None:
    await updater.add_artifact(list(parts))
    await updater.complete()


def build_card(base: str, grpc_address: str, *skills: str) -> AgentCard:
    return AgentCard(
        name="official",
        description="An agent of the official SDK",
        version="1",
        capabilities=AgentCapabilities(streaming=True, push_notifications=True),
        default_input_modes=MODES,
        default_output_modes=MODES,
        skills=[AgentSkill(id=skill, name=skill, description=skill, tags=["test"]) for skill in skills],
        supports_authenticated_extended_card=True,
        url=f"{base}/rpc",
        preferred_transport="JSONRPC",
        additional_interfaces=[
            AgentInterface(url=f"{base}/rest", transport="HTTP+JSON"),
            AgentInterface(url=grpc_address, transport="GRPC"),
        ],
    )


async def main() -> None:
    listener, base = listen()
    grpc_server = grpc.aio.server()
    address = f"127.0.0.1:{grpc_server.add_insecure_port('127.0.0.1:0')}"
    async with httpx.AsyncClient() as client:
        configs = InMemoryPushNotificationConfigStore()
        card, extended = build_card(base, address, "obey"), build_card(base, address, "obey", "extra")
        handler = DefaultRequestHandler(
            agent_executor=Obedient(),
            task_store=InMemoryTaskStore(),
            push_config_store=configs,
            push_sender=BasePushNotificationSender(client, configs),
        )
        add_A2AServiceServicer_to_server(GrpcHandler(card, handler), grpc_server)
        await grpc_server.start()
        app = A2ARESTFastAPIApplication(card, handler, extended).build(rpc_url="/rest")
        A2AStarletteApplication(card, handler, extended).add_routes_to_app(app, rpc_url="/rpc")
        await serve(app, listener, base)
        await grpc_server.stop(0)


if __name__ == "__main__":
    asyncio.run(main())
