"""0.3 over gRPC (SPEC 7.2, 7.5): our server as our transport and stock messages meet it, and our transport at the official SDK's server."""

import asyncio
import json
import urllib.request
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from dragoman.model import (
    AgentCapabilities,
    AgentCard,
    AuthenticationInfo,
    BadResponse,
    DeleteTaskPushNotificationConfigRequest,
    Generation,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    HTTPAuthSecurityScheme,
    ListTaskPushNotificationConfigsRequest,
    ListTasksRequest,
    Part,
    SecurityScheme,
    TaskNotCancelableError,
    TaskNotFoundError,
    TaskPushNotificationConfig,
    TaskState,
    UnauthenticatedError,
    UnsupportedOperationError,
    VersionNotSupportedError,
    operations,
)
from dragoman.server import GrpcOptions
from dragoman.wire.grpc.schema import OLD_SERVICE, SERVICE, find_old_classes
from tests.interaction.agents import Parrot, admit_by_name
from tests.interaction.grpc_wire_03 import collect, dialing
from tests.interaction.peer_process import PYTHON_03, needs_peer_03, serving_peer
from tests.interaction.requirements import requirement
from tests.peer.receiver import Receiver

ALL_BYTES = bytes(range(256))
UNICODE = "Grüße 👩‍🚀 שלום e\u0301 line\nbreak"


@asynccontextmanager
async def serving(**options):
    """A parrot that listens for gRPC, and our transport to it."""
    parrot = Parrot(**{"grpc": GrpcOptions(port=0), **options})
    async with parrot.running():
        address = parrot.app.grpc_address
        async with dialing(address) as third:
            yield parrot, third


@asynccontextmanager
async def channel_to(parrot):
    async with grpc.aio.insecure_channel(parrot.app.grpc_address) as channel:
        yield channel


reflect: Any = reflection_pb2_grpc.ServerReflectionStub
health_of: Any = health_pb2_grpc.HealthStub


async def ask(channel, method, request: dict[str, Any], **metadata: str) -> Any:
    """One call in stock messages."""
    taken, _ = find_old_classes(method)
    call = channel.unary_unary(f"/{OLD_SERVICE}/{method}")
    pairs = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
    return find_old_classes(method)[1].FromString(
        await call(taken(**request).SerializeToString(), metadata=pairs)
    )


async def status_of(waiting) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await waiting
    return raised.value.code().name


# Our transport, and our server


async def test_a_send_waits_for_its_task_unless_told_not_to():
    async with serving() as (_, third):
        task = await third.send("hello")
        assert (task.state, task.text) == (TaskState.COMPLETED, "hello")
        assert task.history[0].parts[0].text == "hello"
        held = await third.send("gate", skill="hold", at_once=True)
        assert not held.state.is_terminal
        canceled = await third.cancel(held.id)
        assert canceled.state is TaskState.CANCELED
        assert (await third.get(held.id)).state is TaskState.CANCELED


async def test_a_message_may_be_the_answer():
    async with serving() as (_, third):
        assert (await third.send("hello", skill="reply")).parts[0].text == "hello"


async def test_bytes_data_and_signs_come_back_as_they_went():
    async with serving() as (_, third):
        file = Part.of_bytes(ALL_BYTES, media_type="application/x-test", filename="größe.bin")
        (part,) = (await third.send(file, skill="file")).artifacts[0].parts
        assert (part.raw, part.media_type, part.filename) == (ALL_BYTES, "application/x-test", "größe.bin")
        assert (await third.send(UNICODE)).text == UNICODE
        value = {"text": "ä", "list": [1, 2.5, True, None], "large": 2**53}
        (part,) = (await third.send(Part.of_data(value), skill="mirror")).artifacts[0].parts
        assert part.data == value
        assert type(part.data["large"]) is int


async def test_a_stream_ends_with_what_it_says_is_final():
    async with serving() as (parrot, third), channel_to(parrot) as channel:
        events = await collect(await third.stream("", skill="chunks"))
        assert events[0].task is not None
        pieces = [event.artifact_update.artifact.text for event in events if event.artifact_update]
        assert "".join(pieces) == "one two three"
        assert events[-1].status_update.status.state is TaskState.COMPLETED

        taken, answered = find_old_classes("SendStreamingMessage")
        request = taken(
            request={"message_id": "m", "role": "ROLE_USER", "content": [{"text": ""}]},
            metadata={"skill": "ask"},
        )
        call = channel.unary_stream(f"/{OLD_SERVICE}/SendStreamingMessage")(request.SerializeToString())
        raw = [answered.FromString(data) async for data in call]
        finals = [event.status_update.final for event in raw if event.HasField("status_update")]
        assert finals == [False] * (len(finals) - 1) + [True]
        assert raw[-1].status_update.status.state == 6  # TASK_STATE_INPUT_REQUIRED


async def test_a_stream_that_was_left_is_taken_up_again():
    async with serving() as (parrot, third):
        task = await third.send("door", skill="hold", at_once=True)
        source = await third.subscribe(task.id)
        first = await source.read()
        assert first.payload.task.id == task.id
        assert first.id == ""  # 0.3 has no marks
        parrot.gates.open("door")
        rest = await collect(source)
        assert rest[-1].status_update.status.state is TaskState.COMPLETED


async def test_webhooks_are_kept_and_told_in_the_shape_of_0_3():
    async with serving() as (parrot, third), Receiver() as receiver:
        task = await third.send("door", skill="hold", at_once=True)
        config = TaskPushNotificationConfig(
            task_id=task.id,
            id="p-1",
            url=receiver.url,
            token="tok",
            authentication=AuthenticationInfo(scheme="Bearer", credentials="s3cret"),
        )
        made = await third.call(operations.CREATE_PUSH_CONFIG, config)
        assert made == config
        query = GetTaskPushNotificationConfigRequest(task_id=task.id, id="p-1")
        assert await third.call(operations.GET_PUSH_CONFIG, query) == config
        listed = await third.call(
            operations.LIST_PUSH_CONFIGS, ListTaskPushNotificationConfigsRequest(task_id=task.id)
        )
        assert listed.configs == (config,)
        parrot.gates.open("door")
        taken = await receiver.until_state_03("completed")
        assert {one.payload["kind"] for one in taken} == {"task"}
        gone = DeleteTaskPushNotificationConfigRequest(task_id=task.id, id="p-1")
        await third.call(operations.DELETE_PUSH_CONFIG, gone)
        listed = await third.call(
            operations.LIST_PUSH_CONFIGS, ListTaskPushNotificationConfigsRequest(task_id=task.id)
        )
        assert listed.configs == ()


async def test_errors_come_back_as_themselves_with_the_statuses_of_0_3():
    async with serving() as (parrot, third), channel_to(parrot) as channel:
        with pytest.raises(TaskNotFoundError):
            await third.get("nobody")
        done = await third.send("hello")
        with pytest.raises(TaskNotCancelableError):
            await third.cancel(done.id)
        with pytest.raises(UnsupportedOperationError):
            await third.send("more", task_id=done.id)
        with pytest.raises(UnsupportedOperationError, match=r"0\.3 has no ListTasks"):
            await third.call(operations.LIST_TASKS, ListTasksRequest())
        assert await status_of(ask(channel, "GetTask", {"name": "tasks/nobody"})) == "NOT_FOUND"
        assert await status_of(ask(channel, "GetTask", {"name": "nobody"})) == "INVALID_ARGUMENT"
        assert (
            await status_of(ask(channel, "CancelTask", {"name": f"tasks/{done.id}"})) == "FAILED_PRECONDITION"
        )
        broken = channel.unary_unary(f"/{OLD_SERVICE}/SendMessage")(b"\xff\xff")
        assert await status_of(broken) == "INVALID_ARGUMENT"


@requirement("GRP-06", "VER-06", "VER-07")
async def test_each_service_takes_calls_of_its_own_version_only():
    async with serving() as (parrot, third), channel_to(parrot) as channel:
        name = f"tasks/{(await third.send('hello')).id}"
        for version in ("", "0.3", "0.3.0"):
            assert (await ask(channel, "GetTask", {"name": name}, a2a_version=version)).status.state == 3
        assert (await ask(channel, "GetTask", {"name": name})).status.state == 3
        for version in ("1.0", "0.2", "0.1", "nine"):
            refused = ask(channel, "GetTask", {"name": name}, a2a_version=version)
            assert await status_of(refused) == "FAILED_PRECONDITION"
        newest = channel.unary_unary(f"/{SERVICE}/ListTasks")
        for metadata in ((), (("a2a-version", "0.3"),)):
            assert await status_of(newest(b"", metadata=metadata)) == "FAILED_PRECONDITION"
        await newest(b"", metadata=(("a2a-version", "1.0"),))
        with pytest.raises(VersionNotSupportedError):
            await third.call(operations.LIST_PUSH_CONFIGS, LISTED, a2a_version="1.0")


LISTED = ListTaskPushNotificationConfigsRequest(task_id="t")


@pytest.mark.parametrize(
    "generations, served",
    [
        ([Generation.V1_0], {SERVICE}),
        ([Generation.V0_3], {OLD_SERVICE}),
        (list(Generation), {SERVICE, OLD_SERVICE}),
    ],
)
async def test_what_is_served_is_described_and_healthy(generations, served):
    async with serving(generations=generations) as (parrot, _), channel_to(parrot) as channel:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflect(channel).ServerReflectionInfo(iter([request]))
        (answer,) = [one async for one in call]
        names = {service.name for service in answer.list_services_response.service}
        assert names & {SERVICE, OLD_SERVICE} == served
        for name in served:
            asked = reflection_pb2.ServerReflectionRequest(file_containing_symbol=name)
            call = reflect(channel).ServerReflectionInfo(iter([asked]))
            (answer,) = [one async for one in call]
            assert answer.file_descriptor_response.file_descriptor_proto
            check = health_of(channel).Check(health_pb2.HealthCheckRequest(service=name))
            assert (await check).status == health_pb2.HealthCheckResponse.SERVING
        entries = parrot_interfaces(parrot)
        assert {version for kind, version in entries if kind == "GRPC"} == {
            generation.value for generation in generations if generation.value in ("1.0", "0.3")
        }


def parrot_interfaces(parrot):
    scope = {"type": "http", "headers": [], "scheme": "http", "server": ("localhost", 80)}
    card = parrot.app.complete(parrot.card_facts(), scope)
    return [(entry.protocol_binding, entry.protocol_version) for entry in card.supported_interfaces]


SECURED = AgentCard(
    name="Parrot for friends",
    description="Says more",
    supported_interfaces=(),
    version="2",
    capabilities=AgentCapabilities(extended_agent_card=True, streaming=True),
    default_input_modes=("text/plain",),
    default_output_modes=("text/plain",),
    skills=(),
    security_schemes={
        "bearer": SecurityScheme(http_auth_security_scheme=HTTPAuthSecurityScheme(scheme="bearer")),
    },
)


async def test_an_agent_without_an_extended_card_gives_the_public_one():
    async with serving() as (_, third):
        card = await third.call(operations.GET_EXTENDED_CARD, GetExtendedAgentCardRequest())
    assert card.name == "Parrot"
    assert any(entry.protocol_binding == "GRPC" for entry in card.supported_interfaces)


async def test_the_extended_card_is_told_who_is_known():
    options = {"authenticator": admit_by_name, "extended_card": SECURED}
    async with serving(**options) as (_, third):
        with pytest.raises(UnauthenticatedError):
            await third.call(operations.GET_EXTENDED_CARD, GetExtendedAgentCardRequest())
        card = await third.call(
            operations.GET_EXTENDED_CARD, GetExtendedAgentCardRequest(), authorization="Bearer alice"
        )
        assert (card.name, card.capabilities.streaming) == ("Parrot for friends", True)
        assert card.security_schemes == SECURED.security_schemes
        (entry,) = card.supported_interfaces
        assert (entry.protocol_binding, entry.protocol_version) == ("GRPC", "0.3")


@requirement("XTN-06")
async def test_extensions_are_echoed_under_their_old_name():
    async with serving() as (parrot, third):
        wanted = parrot.card_facts().capabilities.extensions[0].uri
        await third.transport.call(
            operations.LIST_PUSH_CONFIGS,
            ListTaskPushNotificationConfigsRequest(task_id=(await third.send("x")).id),
            headers={"x-a2a-extensions": f"urn:nobody:knows,{wanted}"},
        )
        assert third.noted[-1] == wanted


async def test_an_answer_that_is_none_is_the_fault_of_the_agent():
    async def answer(data, context):
        return b"\xff\xff"

    handler: Any = grpc.unary_unary_rpc_method_handler(answer)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(OLD_SERVICE, {"GetTask": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with dialing(f"127.0.0.1:{port}") as third:
        with pytest.raises(BadResponse):
            await third.get("t")
    await server.stop(None)


# Our transport, and the official SDK's server


@pytest.fixture(scope="module")
def official():
    """The address of an agent of the official SDK 0.3.26, which obeys `words.md`."""
    with serving_peer("tests.peer.py03.server", python=PYTHON_03) as url:
        with urllib.request.urlopen(f"{url}/.well-known/agent-card.json") as reply:
            card = json.load(reply)
        yield next(entry["url"] for entry in card["additionalInterfaces"] if entry["transport"] == "GRPC")


@pytest.fixture
async def theirs(official):
    async with dialing(official) as third:
        yield third


@pytest.mark.slow
@needs_peer_03
class TestOfficialServer:
    async def test_it_answers_and_remembers(self, theirs):
        task = await theirs.send(UNICODE)
        assert (task.state, task.text) == (TaskState.COMPLETED, UNICODE)
        assert (await theirs.get(task.id)).text == UNICODE

    async def test_it_streams(self, theirs):
        events = await collect(await theirs.stream("count"))
        assert events[0].task is not None
        pieces = [event.artifact_update for event in events if event.artifact_update]
        assert "".join(piece.artifact.text for piece in pieces) == "one two three"
        assert [piece.append for piece in pieces] == [False, True, True]
        assert events[-1].status_update.status.state is TaskState.COMPLETED

    async def test_it_takes_files_and_gives_them_back(self, theirs):
        file = Part.of_bytes(ALL_BYTES, media_type="application/x-test", filename="größe.bin")
        task = await theirs.send(file)
        part, size = task.artifacts[0].parts
        assert (part.raw, part.media_type, part.filename) == (ALL_BYTES, "application/x-test", "größe.bin")
        assert size.text == "256 bytes"

    async def test_it_asks_back(self, theirs):
        asked = await theirs.send("ask")
        assert asked.state is TaskState.INPUT_REQUIRED
        assert asked.status.message.parts[0].text == "which colour?"
        again = await theirs.send("red", task_id=asked.id, context_id=asked.context_id)
        done = await theirs.send("large", task_id=again.id, context_id=again.context_id)
        assert (done.state, done.text) == (TaskState.COMPLETED, "red large")

    async def test_it_is_subscribed_to_again(self, theirs):
        """Its server says nothing to a subscriber before the next event, so that other answers tell that it has heard of one.

        Now and then it hangs up before it has told the end, also on its own client: `EventStream` then asks how the task stands.
        """
        task = await theirs.send("hold here", at_once=True)
        opening = asyncio.create_task(theirs.subscribe(task.id))
        await asyncio.sleep(0)
        for _ in range(5):
            await theirs.get(task.id)
        await theirs.send("open here")
        artifact, *rest = await collect(await opening)
        assert artifact.artifact_update.artifact.text == "held"
        assert [event.status_update.status.state for event in rest] in ([TaskState.COMPLETED], [])
        assert (await theirs.get(task.id)).state is TaskState.COMPLETED

    async def test_it_cancels(self, theirs):
        task = await theirs.send("hold there", at_once=True)
        assert (await theirs.cancel(task.id)).state is TaskState.CANCELED

    async def test_its_errors_are_what_they_say(self, theirs):
        with pytest.raises(TaskNotFoundError):
            await theirs.get("nobody")
        done = await theirs.send("hello")
        with pytest.raises(TaskNotCancelableError):
            await theirs.cancel(done.id)

    async def test_its_webhooks_are_kept(self, theirs):
        task = await theirs.send("hello")
        config = TaskPushNotificationConfig(task_id=task.id, id="p-1", url="http://127.0.0.1:1/", token="t")
        assert await theirs.call(operations.CREATE_PUSH_CONFIG, config) == config
        query = GetTaskPushNotificationConfigRequest(task_id=task.id, id="p-1")
        assert await theirs.call(operations.GET_PUSH_CONFIG, query) == config

    async def test_its_card_is_read(self, theirs):
        card = await theirs.call(operations.GET_EXTENDED_CARD, GetExtendedAgentCardRequest())
        assert card.name == "official"
        assert ("GRPC", "0.3") in [
            (entry.protocol_binding, entry.protocol_version) for entry in card.supported_interfaces
        ]
