# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""An agent built with the official SDK 0.3.26; what it does depends on the first word of a message.

Runs in an environment of its own: `python -m tests.peer.official_server_03`. It prints its address, and ends when its input does.
"""

import asyncio
import base64
import socket
import sys

import httpx
import uvicorn
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import (
    BasePushNotificationSender,
    InMemoryPushNotificationConfigStore,
    InMemoryTaskStore,
    TaskUpdater,
)
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    DataPart,
    FilePart,
    FileWithBytes,
    Part,
    TextPart,
)
from a2a.utils import new_agent_text_message, new_task
from starlette.applications import Starlette
from starlette.routing import Mount

MODES = ["text/plain", "application/json", "application/octet-stream"]


def text_part(text: str) -> Part:
    return Part(root=TextPart(text=text))


class Behaviours(AgentExecutor):
    """Does what the first word of the message asks for; anything else is echoed."""

    def __init__(self) -> None:
        self._gates: dict[str, asyncio.Event] = {}

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        text = context.get_user_input()
        if text.startswith("message"):
            await event_queue.enqueue_event(new_agent_text_message(text, context_id=context.context_id))
            return
        task = context.current_task
        if task is None:
            task = new_task(context.message)
            await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        behaviour = getattr(self, f"_{text.split(' ')[0]}", self._echo) if text else self._return_parts
        await behaviour(context, updater)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()

    async def _echo(self, context: RequestContext, updater: TaskUpdater) -> None:
        await updater.add_artifact([text_part(context.get_user_input())], name="echo", last_chunk=True)
        await updater.complete()

    async def _return_parts(self, context: RequestContext, updater: TaskUpdater) -> None:
        """Files and data go back as they came."""
        await updater.add_artifact(list(context.message.parts), name="parts")
        await updater.complete()

    async def _file(self, _: RequestContext, updater: TaskUpdater) -> None:
        data = base64.b64encode(bytes(range(256))).decode()
        file = FileWithBytes(bytes=data, mime_type="application/octet-stream", name="all.bin")
        parts = [Part(root=FilePart(file=file)), Part(root=DataPart(data={"größe": [1, None]}))]
        await updater.add_artifact(parts, name="file")
        await updater.complete()

    async def _chunks(self, _: RequestContext, updater: TaskUpdater) -> None:
        await updater.start_work()
        for number, piece in enumerate(["one ", "two ", "three"]):
            await updater.add_artifact(
                [text_part(piece)], artifact_id="a1", append=number > 0, last_chunk=number == 2
            )
        await updater.complete()

    async def _ask(self, _: RequestContext, updater: TaskUpdater) -> None:
        await updater.requires_input(updater.new_agent_message([text_part("which one?")]), final=True)

    async def _fail(self, _: RequestContext, updater: TaskUpdater) -> None:
        await updater.failed(updater.new_agent_message([text_part("no seats")]))

    async def _reject(self, _: RequestContext, updater: TaskUpdater) -> None:
        await updater.reject(updater.new_agent_message([text_part("not today")]))

    async def _hold(self, context: RequestContext, updater: TaskUpdater) -> None:
        """Work until a message `open <name>` comes to another task; `hold <name>`."""
        await updater.start_work(updater.new_agent_message([text_part("holding")]))
        await self._gate(context).wait()
        await updater.add_artifact([text_part("held")], name="hold")
        await updater.complete()

    async def _drip(self, context: RequestContext, updater: TaskUpdater) -> None:
        """Say one word before the gate opens, and two after."""
        await updater.add_artifact([text_part("drip ")], artifact_id="a1", append=False)
        await self._gate(context).wait()
        for word in ("drop ", "drop"):
            await updater.add_artifact([text_part(word)], artifact_id="a1", append=True)
        await updater.complete()

    async def _open(self, context: RequestContext, updater: TaskUpdater) -> None:
        self._gate(context).set()
        await updater.complete()

    def _gate(self, context: RequestContext) -> asyncio.Event:
        return self._gates.setdefault(context.get_user_input().split(" ")[1], asyncio.Event())


def build_card(base: str, name: str = "official 0.3") -> AgentCard:
    return AgentCard(
        name=name,
        description="An agent of the official SDK of the generation before",
        version="1",
        url=f"{base}/rpc",
        preferred_transport="JSONRPC",
        additional_interfaces=[
            AgentInterface(url=f"{base}/rpc", transport="JSONRPC"),
            AgentInterface(url=f"{base}/rest", transport="HTTP+JSON"),
        ],
        capabilities=AgentCapabilities(streaming=True, push_notifications=True),
        default_input_modes=MODES,
        default_output_modes=MODES,
        skills=[AgentSkill(id="any", name="any", description="Does what the first word says", tags=["test"])],
        supports_authenticated_extended_card=True,
    )


def build_app(base: str, client: httpx.AsyncClient) -> Starlette:
    configs = InMemoryPushNotificationConfigStore()
    handler = DefaultRequestHandler(
        agent_executor=Behaviours(),
        task_store=InMemoryTaskStore(),
        push_config_store=configs,
        push_sender=BasePushNotificationSender(client, configs),
    )
    card, extended = build_card(base), build_card(base, "official 0.3 for friends")
    rpc = A2AStarletteApplication(card, handler, extended_agent_card=extended)
    rest = A2ARESTFastAPIApplication(card, handler, extended_agent_card=extended)
    app = Starlette(routes=[Mount("/rest", rest.build())])
    rpc.add_routes_to_app(app, rpc_url="/rpc")
    return app


async def main() -> None:
    # With the protocol named: asyncio sets TCP_NODELAY only where it is, and Nagle waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with httpx.AsyncClient() as client:
        config = uvicorn.Config(build_app(base, client), log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        print(base, flush=True)  # noqa: T201 - read by the test
        serving = asyncio.create_task(server.serve([listener]))
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(main())
