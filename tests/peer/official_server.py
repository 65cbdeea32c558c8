# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""An agent built with the official SDK; what it does depends on the first word of a message.

Runs in the peer environment: `python -m tests.peer.official_server`. It prints its address, and ends when its input does.
"""

import asyncio
import socket
import sys

import grpc.aio
import httpx
import uvicorn
from a2a.helpers import (
    new_data_part,
    new_raw_part,
    new_task_from_user_message,
    new_text_message,
    new_text_part,
)
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler, GrpcHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import (
    BasePushNotificationSender,
    InMemoryPushNotificationConfigStore,
    InMemoryTaskStore,
    TaskUpdater,
)
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Part, Role
from a2a.types.a2a_pb2_grpc import add_A2AServiceServicer_to_server
from starlette.applications import Starlette

MODES = ["text/plain", "application/json", "application/octet-stream"]


class Behaviours(AgentExecutor):
    """Does what the first word of the message asks for; anything else is echoed."""

    def __init__(self) -> None:
        self._gates: dict[str, asyncio.Event] = {}

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        text = context.get_user_input()
        if text.startswith("message"):
            await event_queue.enqueue_event(
                new_text_message(text, context_id=context.context_id, role=Role.ROLE_AGENT)
            )
            return
        task = context.current_task
        if task is None:
            task = new_task_from_user_message(context.message)
            await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        behaviour = getattr(self, f"_{text.split(' ')[0]}", self._echo) if text else self._return_parts
        await behaviour(context, updater)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()

    async def _echo(self, context: RequestContext, updater: TaskUpdater) -> None:
        await updater.add_artifact([new_text_part(context.get_user_input())], name="echo", last_chunk=True)
        await updater.complete()

    async def _return_parts(self, context: RequestContext, updater: TaskUpdater) -> None:
        """Files and data go back as they came."""
        await updater.add_artifact(list(context.message.parts), name="parts")
        await updater.complete()

    async def _file(self, _: RequestContext, updater: TaskUpdater) -> None:
        parts = [
            new_raw_part(bytes(range(256)), "application/octet-stream", "all.bin"),
            new_data_part({"größe": [1, None]}),
        ]
        await updater.add_artifact(parts, name="file")
        await updater.complete()

    async def _chunks(self, _: RequestContext, updater: TaskUpdater) -> None:
        await updater.start_work()
        for number, piece in enumerate(["one ", "two ", "three"]):
            part = Part(text=piece)
            await updater.add_artifact([part], artifact_id="a1", append=number > 0, last_chunk=number == 2)
        await updater.complete()

    async def _ask(self, context: RequestContext, updater: TaskUpdater) -> None:
        await updater.requires_input(updater.new_agent_message([new_text_part("which one?")]))

    async def _fail(self, _: RequestContext, updater: TaskUpdater) -> None:
        await updater.failed(updater.new_agent_message([new_text_part("no seats")]))

    async def _reject(self, _: RequestContext, updater: TaskUpdater) -> None:
        await updater.reject(updater.new_agent_message([new_text_part("not today")]))

    async def _raise(self, _: RequestContext, updater: TaskUpdater) -> None:
        raise RuntimeError("what the handler says stays in the house")

    async def _hold(self, context: RequestContext, updater: TaskUpdater) -> None:
        """Work until a message `open <name>` comes to another task; `hold <name>`."""
        await updater.start_work(updater.new_agent_message([new_text_part("holding")]))
        await self._gate(context).wait()
        await updater.add_artifact([new_text_part("held")], name="hold")
        await updater.complete()

    async def _open(self, context: RequestContext, updater: TaskUpdater) -> None:
        self._gate(context).set()
        await updater.complete()

    def _gate(self, context: RequestContext) -> asyncio.Event:
        return self._gates.setdefault(context.get_user_input().split(" ")[1], asyncio.Event())


def build_card(base: str, grpc_address: str) -> AgentCard:
    return AgentCard(
        name="official",
        description="An agent of the official SDK",
        version="1",
        capabilities=AgentCapabilities(streaming=True, push_notifications=True, extended_agent_card=True),
        default_input_modes=MODES,
        default_output_modes=MODES,
        skills=[AgentSkill(id="any", name="any", description="Does what the first word says", tags=["test"])],
        supported_interfaces=[
            AgentInterface(url=f"{base}/rpc", protocol_binding="JSONRPC", protocol_version="1.0"),
            AgentInterface(url=f"{base}/rest", protocol_binding="HTTP+JSON", protocol_version="1.0"),
            AgentInterface(url=grpc_address, protocol_binding="GRPC", protocol_version="1.0"),
        ],
    )


def build_handler(card: AgentCard, client: httpx.AsyncClient) -> DefaultRequestHandler:
    configs = InMemoryPushNotificationConfigStore()
    return DefaultRequestHandler(
        agent_executor=Behaviours(),
        task_store=InMemoryTaskStore(),
        agent_card=card,
        push_config_store=configs,
        push_sender=BasePushNotificationSender(client, configs),
        # Declared on the card and not configured here: what the client does about that is a test.
        extended_agent_card=None,
    )


def build_app(card: AgentCard, handler: DefaultRequestHandler) -> Starlette:
    return Starlette(
        routes=[
            *create_agent_card_routes(card),
            *create_jsonrpc_routes(handler, "/rpc"),
            *create_rest_routes(handler, path_prefix="/rest"),
        ]
    )


async def main() -> None:
    # With the protocol named: asyncio sets TCP_NODELAY only where it is, and Nagle waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    grpc_server = grpc.aio.server()
    grpc_address = f"127.0.0.1:{grpc_server.add_insecure_port('127.0.0.1:0')}"
    async with httpx.AsyncClient() as client:
        card = build_card(base, grpc_address)
        handler = build_handler(card, client)
        add_A2AServiceServicer_to_server(GrpcHandler(handler), grpc_server)
        await grpc_server.start()
        config = uvicorn.Config(build_app(card, handler), log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        print(base, flush=True)  # noqa: T201 - read by the test
        serving = asyncio.create_task(server.serve([listener]))
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving
        await grpc_server.stop(0)


if __name__ == "__main__":
    asyncio.run(main())
