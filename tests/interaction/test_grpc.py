"""What is gRPC's own (SPEC 3.4, 6.16): its server as stock tools and our client meet it."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from msgspec.structs import replace as replace_members

from dragoman import Client, Limits, Part, Principal
from dragoman.client import Tls
from dragoman.client.http import AsgiHttp
from dragoman.model import (
    AgentInterface,
    Binding,
    InvalidRequestError,
    NeverSent,
    TaskState,
    TimedOut,
    UnauthenticatedError,
    UnavailableError,
)
from dragoman.model.extensions import OWN_EXTENSIONS
from dragoman.security import PeerCertificate
from dragoman.server import GrpcOptions
from dragoman.wire.grpc.plain import UnsayableError
from dragoman.wire.grpc.schema import SERVICE
from dragoman.wire.marks import MARKS_EXTENSION
from tests.interaction.agents import Parrot
from tests.interaction.certificates import make_certificates, needs_openssl
from tests.interaction.grpc_wire import GrpcWire, metadata_of, write
from tests.interaction.requirements import requirement
from tests.interaction.sockets import find_unused_port
from tests.interaction.wires import send_params, state_of


@asynccontextmanager
async def running(**options):
    """A parrot that listens for gRPC, and a wire to it."""
    parrot = Parrot(**{"grpc": GrpcOptions(port=0), **options})
    await parrot.start()
    wire = GrpcWire(parrot)
    try:
        yield parrot, wire
    finally:
        await wire.aclose()
        await parrot.stop()


def speak(parrot, **options):
    """Our client, over gRPC alone."""
    return Client(parrot, bindings=[Binding.GRPC], **options)


def find_interface(card):
    """The interface of gRPC that comes first."""
    return next(entry for entry in card.supported_interfaces if entry.protocol_binding == "GRPC")


class Listener:
    """A stock server of gRPC that notes the metadata of every call, and answers nothing."""

    def __init__(self):
        self.metadata = []

    async def answer(self, data, context):
        self.metadata.append(list(context.invocation_metadata()))
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")

    @asynccontextmanager
    async def listening(self):
        handler: Any = grpc.unary_unary_rpc_method_handler(self.answer)
        names = ("SendMessage", "GetTask")
        server = grpc.aio.server()
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE, dict.fromkeys(names, handler))]
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(0)


def channel_of(wire) -> Any:
    """For stubs whose types know synchronous channels only."""
    return wire.channel


async def until(is_so):
    async with asyncio.timeout(20):
        while True:
            if is_so():
                return
            await asyncio.sleep(0)


def card_at(address):
    parrot = Parrot()
    entry = AgentInterface(url=address, protocol_binding="GRPC", protocol_version="1.0")
    return replace_members(parrot.card_facts(), supported_interfaces=(entry,))


@requirement("GRP-01")
async def test_every_operation_is_a_method_of_the_service():
    async with running() as (_, wire):
        for operation in ("SendMessage", "SendStreamingMessage"):
            assert (await wire.call(operation, send_params())).is_result
        assert (await wire.call("ListTasks")).result["totalSize"] == 2
        for operation in ("GetTask", "CancelTask", "SubscribeToTask"):
            assert (await wire.call(operation, {"id": "nobody"})).error.reason == "TASK_NOT_FOUND"


@requirement("GRP-02", "GRP-03", "GRP-04", "VER-03")
async def test_our_client_says_version_and_extensions_in_metadata_once_and_comma_joined():
    listener = Listener()
    extensions = ["urn:a/v1", "urn:b/v2"]
    async with (
        listener.listening() as address,
        Client(card_at(address), extensions=extensions, headers={"X-Team": "blue"}) as client,
    ):
        with pytest.raises(UnauthenticatedError, match="who are you"):
            await client.get_task("t1")
    (said,) = listener.metadata
    ours = [(key, value) for key, value in said if key.startswith(("a2a-", "x-"))]
    assert sorted(ours) == [
        ("a2a-extensions", ",".join([*extensions, *OWN_EXTENSIONS])),
        ("a2a-version", "1.0"),
        ("x-team", "blue"),
    ]


@requirement("GRP-05", "GRP-06", "VER-06")
async def test_the_server_reads_version_and_extensions_from_metadata():
    async with running() as (_, wire):
        assert (await wire.call("ListTasks", a2a_version="1.0")).is_result
        for version in ("", "0.3", "9.9"):
            answer = await wire.call("ListTasks", a2a_version=version)
            assert (answer.error.status, answer.error.reason) == (
                "FAILED_PRECONDITION",
                "VERSION_NOT_SUPPORTED",
            )


@requirement("GRP-07", "ERR-21")
async def test_an_error_carries_its_reason_and_domain_in_the_details():
    async with running() as (_, wire):
        error = (await wire.call("GetTask", {"id": "nobody"})).error
        assert (error.status, error.info["domain"], error.info["reason"]) == (
            "NOT_FOUND",
            "a2a-protocol.org",
            "TASK_NOT_FOUND",
        )


async def test_bytes_that_are_no_request_are_refused_and_the_server_goes_on():
    async with running() as (_, wire):
        method = wire.channel.unary_unary(f"/{SERVICE}/SendMessage")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await method(b"\xff\xff\xff", metadata=metadata_of({}))
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert (await wire.send()).is_result


async def test_an_unknown_method_is_told_by_grpc_itself():
    async with running() as (_, wire):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await wire.channel.unary_unary(f"/{SERVICE}/SendFlowers")(b"")
        assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_card_names_the_port_that_was_taken_and_the_address_that_was_given():
    async with running() as (parrot, _), speak(parrot) as client:
        entry = find_interface(await client.card())
        assert (entry.protocol_binding, entry.url) == (
            "GRPC",
            parrot.app.grpc_address.replace("127.0.0.1", "localhost"),
        )
    options = GrpcOptions(port=0, public_address="agents.example.org:443")
    async with running(grpc=options) as (parrot, _), Client(parrot) as client:
        assert find_interface(await client.card()).url == "agents.example.org:443"


async def test_a_stream_has_marks_only_for_who_asks_and_resumes_after_one():
    async with running() as (parrot, wire):
        plain = await wire.stream("", "chunks")
        assert MARKS_EXTENSION not in str(plain)
        async with wire.open(
            "SendStreamingMessage", send_params("door", "hold"), a2a_extensions=MARKS_EXTENSION
        ) as one:
            first = await one.next()
            task = first["task"]
            mark = (await one.next())["statusUpdate"]["metadata"][MARKS_EXTENSION]
            request = {"id": task["id"]}
            again = wire.open("SubscribeToTask", request, a2a_extensions=MARKS_EXTENSION, last_event_id=mark)
            async with again as other:
                parrot.gates.open("door")
                rest, resumed = await one.rest(), await other.rest()
    updates = [event for event in resumed if "task" not in event]
    assert updates == rest
    assert state_of(rest[-1]) == "COMPLETED"


async def test_a_cut_stream_of_our_client_goes_on_with_what_came_after():
    async with running() as (parrot, _), speak(parrot) as client:
        stream = client.stream("door", skill="drip")
        events = []
        async with stream:
            async for event in stream:
                events.append(event)
                if getattr(event, "artifact", None) and len(events) < 10:
                    parrot.app._streams.end()
                    parrot.gates.open("door")
        task: Any = stream.view.task
        assert (task.state, task.text) == (TaskState.COMPLETED, "drip drop")
        pieces = [event.artifact.text for event in events if getattr(event, "artifact", None)]
        assert "".join(pieces) == "drip drop"
        assert MARKS_EXTENSION not in str(events)


async def test_a_slow_reader_holds_nothing_and_delays_nobody():
    chunk = "x" * 100_000
    async with running(limits=Limits(drain_timeout=timedelta(), max_artifact_bytes=2**28)) as (parrot, wire):
        produced = 0

        @parrot.skill
        async def flood():
            """Say very much."""
            nonlocal produced
            for _ in range(300):
                produced += 1
                yield chunk

        deaf = wire.channel.unary_stream(f"/{SERVICE}/SendStreamingMessage")
        call = deaf(write("SendStreamingMessage", send_params("", "flood")), metadata=metadata_of({}))
        await call.initial_metadata()
        (stream,) = parrot.app._streams.open
        assert state_of((await wire.send("hello")).task) == "COMPLETED"
        await until(lambda: produced == 300)
        assert stream in parrot.app._streams.open  # it waits for its reader, and the task has not
        call.cancel()
        await until(lambda: not parrot.app._streams.open)


async def test_a_deaf_reader_is_given_up():
    options = GrpcOptions(port=0, write_timeout=timedelta(milliseconds=100))
    async with running(grpc=options, limits=Limits(drain_timeout=timedelta())) as (parrot, wire):

        @parrot.skill
        async def flood():
            """Say very much."""
            for _ in range(100):
                yield "x" * 100_000

        deaf = wire.channel.unary_stream(f"/{SERVICE}/SendStreamingMessage")
        call = deaf(write("SendStreamingMessage", send_params("", "flood")), metadata=metadata_of({}))
        await call.initial_metadata()
        await until(lambda: not parrot.app._streams.open)
        call.cancel()


async def test_a_deadline_ends_the_call_and_not_the_task():
    async with running() as (parrot, wire):
        method = wire.channel.unary_unary(f"/{SERVICE}/SendMessage")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await method(
                write("SendMessage", send_params("door", "hold")), metadata=metadata_of({}), timeout=0.3
            )
        assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        (task,) = (await wire.call("ListTasks")).result["tasks"]
        assert state_of(task) == "WORKING"
        async with wire.subscribed(task["id"]) as stream:
            parrot.gates.open("door")
            assert state_of((await stream.rest())[-1]) == "COMPLETED"


async def test_a_drain_ends_streams_refuses_new_work_and_answers_the_rest():
    limits = Limits(drain_timeout=timedelta(seconds=20))
    async with running(limits=limits) as (parrot, wire):
        task = (await wire.send("door", "hold", returnImmediately=True)).task
        await parrot.gates.reached("door")
        health: Any = health_pb2_grpc.HealthStub(channel_of(wire))
        async with wire.subscribed(task["id"]) as stream, asyncio.TaskGroup() as group:
            await stream.next()
            assert (await health.Check(health_pb2.HealthCheckRequest())).status == 1
            draining = group.create_task(parrot.drain())
            await stream.rest()  # it ends
            assert (await wire.send("new")).error.reason == "UNAVAILABLE"
            assert (await wire.call("GetTask", {"id": task["id"]})).is_result
            for service in ("", SERVICE):
                asked = health_pb2.HealthCheckRequest(service=service)
                assert (await health.Check(asked)).status == health_pb2.HealthCheckResponse.NOT_SERVING
            parrot.gates.open("door")
            await draining
        assert state_of((await wire.call("GetTask", {"id": task["id"]})).task) == "COMPLETED"


async def test_after_a_stop_nobody_is_there_and_a_start_listens_again():
    async with running(store="memory:") as (parrot, _):
        async with speak(parrot) as client:
            assert await client.ask("one") == "one"
            await parrot.stop()
            with pytest.raises((NeverSent, UnavailableError)):
                await client.send("two")
        await parrot.start()
        async with speak(parrot) as client:
            assert await client.ask("three") == "three"


async def test_reflection_lists_the_services_and_can_be_switched_off():
    async def ask(wire):
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel_of(wire))
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = [answer async for answer in stub.ServerReflectionInfo(iter([request]))]
        return {entry.name for entry in answers[0].list_services_response.service}

    async with running() as (_, wire):
        assert SERVICE in await ask(wire)
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel_of(wire))
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)
        async for answer in stub.ServerReflectionInfo(iter([request])):
            assert b"SendStreamingMessage" in answer.file_descriptor_response.file_descriptor_proto[0]
    async with running(grpc=GrpcOptions(port=0, reflection=False)) as (_, wire):
        with pytest.raises(grpc.aio.AioRpcError):
            await ask(wire)


@needs_openssl
async def test_tls_on_both_sides_and_the_authenticator_sees_who_it_is(tmp_path):
    make_certificates(tmp_path)
    seen: list[PeerCertificate | None] = []

    async def by_certificate(credentials):
        seen.append(credentials.certificate)
        return Principal(subject=credentials.certificate.names[0])

    own = {
        name: str(tmp_path / name)
        for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")
    }
    options = GrpcOptions(
        port=0, certificate=own["server.pem"], key=own["server.key"], client_ca=own["ca.pem"]
    )
    mine = Tls(ca=own["ca.pem"], certificate=own["client.pem"], key=own["client.key"])
    async with running(grpc=options, authenticator=by_certificate) as (parrot, _):
        async with speak(parrot, tls=mine) as client:
            assert await client.ask("hello") == "hello"
        for tls in (None, Tls(), Tls(ca=own["ca.pem"])):
            async with speak(parrot, tls=tls) as client:
                with pytest.raises(NeverSent):
                    await client.get_task("t1")
    (certificate,) = {entry for entry in seen if entry}
    assert certificate.names[0] == "alice"
    assert "spiffe://acme/alice" in certificate.names
    assert "alice" in certificate.subject
    assert certificate.pem.startswith("-----BEGIN CERTIFICATE")


async def test_our_client_refuses_a_number_that_grpc_cannot_say():
    async with running() as (parrot, _), speak(parrot) as client:
        with pytest.raises(UnsayableError, match="none equals 9007199254740993"):
            await client.send(Part.of_data({"id": 2**53 + 1}), skill="mirror")
        handle: Any = await client.send(Part.of_data({"id": 2**53}), skill="mirror")
        value = handle.task.artifacts[0].parts[0].data
        assert (value, type(value["id"])) == ({"id": 2**53}, int)


async def test_an_answer_that_grpc_cannot_say_is_refused_with_the_way_round():
    async with running() as (parrot, wire):
        deep: object = 1
        for _ in range(45):
            deep = {"a": deep}

        @parrot.skill
        async def dive() -> dict[str, object]:
            """Go deep."""
            return {"deep": deep}

        error = (await wire.send("", "dive")).error
        assert error.reason == "UNSUPPORTED_OPERATION"
        assert "HTTP+JSON" in error.message
        async with Client(parrot) as client:
            assert (await (await client.start("", skill="dive"))).state is TaskState.COMPLETED


async def test_a_request_over_the_limit_is_refused():
    limits = Limits(max_body_bytes=1000, drain_timeout=timedelta())
    async with running(limits=limits) as (parrot, _), speak(parrot) as client:
        with pytest.raises(InvalidRequestError, match="larger"):
            await client.send("x" * 2000)
        assert await client.ask("x") == "x"


async def test_a_server_that_is_not_there_was_never_asked():
    async with Client(card_at(f"127.0.0.1:{find_unused_port()}")) as client:
        with pytest.raises(NeverSent, match="without TLS"):
            await client.get_task("t1")


async def test_a_silent_server_is_timed_out():
    class Silent(Listener):
        async def answer(self, data, context):
            await asyncio.Event().wait()

    from dragoman.client import Backoff, Timeout

    async with Silent().listening() as address:
        timeout = Timeout(idle_seconds=0.1)
        async with Client(card_at(address), timeout=timeout, retry=Backoff(attempts=1)) as client:
            with pytest.raises(TimedOut):
                await client.get_task("t1")


async def test_a_port_that_is_taken_is_told():
    async with running() as (parrot, _):
        port = int(parrot.app.grpc_address.rpartition(":")[2])
        second = Parrot(grpc=GrpcOptions(port=port))
        with pytest.raises(OSError, match="cannot listen for gRPC"):
            await second.start()
        await second.stop()


async def test_a_tenant_is_named_in_the_request_or_in_metadata_and_its_card_leads_to_it():
    async with running(tenants=["acme", "zenith"]) as (parrot, wire):
        task = (await wire.call("SendMessage", {**send_params(), "tenant": "acme"})).task
        assert (await wire.call("GetTask", {"id": task["id"]}, a2a_tenant="acme")).is_result
        for tenant in ("", "zenith"):
            found = await wire.call("GetTask", {"id": task["id"], "tenant": tenant})
            assert found.error.reason == "TASK_NOT_FOUND"
        for tenants in ({"tenant": "nobody"}, {"tenant": "zenith"}):
            refused = await wire.call("GetTask", {"id": task["id"], **tenants}, a2a_tenant="acme")
            assert (refused.error.reason, refused.error.fields) == ("INVALID_PARAMS", ["tenant"])
        http = AsgiHttp(parrot)
        async with Client("http://localhost/acme", http=http, bindings=[Binding.GRPC]) as acme:
            assert [one.id async for one in acme.list_tasks()] == [task["id"]]
