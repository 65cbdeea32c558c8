"""What a client owes (SPEC 3.6, 4.3 and the rows of §6 for clients): our Client against a real agent, its requests noted."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace as replace_members

from dragoman import AgentCard, Client, Message, Part, Role, TaskState
from dragoman.client import TaskHandle
from dragoman.client.http import AsgiHttp
from dragoman.client.options import World
from dragoman.model import (
    AgentCapabilities,
    AgentInterface,
    Binding,
    Generation,
    InputRequiredError,
    PushNotificationNotSupportedError,
    TaskPushNotificationConfig,
    UnauthenticatedError,
    UnsupportedOperationError,
    VersionMismatch,
)
from dragoman.model.extensions import OWN_EXTENSIONS
from dragoman.server import GrpcOptions
from tests.interaction.agents import Parrot, admit_by_name
from tests.interaction.recorder import Recorder
from tests.interaction.requirements import requirement
from tests.interaction.sockets import find_unused_port, serving
from tests.interaction.wires import BASE, over_http

KINDS = {"jsonrpc": Binding.JSONRPC, "rest": Binding.REST, "grpc": Binding.GRPC}
GRPC = GrpcOptions(port=0)


@pytest.fixture
def recorder(parrot):
    return Recorder(parrot)


@pytest.fixture
async def client(recorder, parrot, binding):
    parrot.configure(grpc=GRPC)
    await parrot.start()
    async with Client(recorder, bindings=[KINDS[binding]]) as client:
        yield client
    await parrot.stop()


async def begin(client: Client, content: str, **options: Any) -> TaskHandle:
    """Send, and get the task."""
    answer = await client.send(content, **options)
    assert isinstance(answer, TaskHandle)
    return answer


def interface(kind=Binding.JSONRPC, url=BASE, **members):
    return AgentInterface(url=url, protocol_binding=kind.value, protocol_version="1.0", **members)


def make_card(*interfaces, **members):
    return AgentCard(
        name="Parrot",
        description="Says what it hears",
        supported_interfaces=interfaces,
        version="1",
        capabilities=members.pop("capabilities", AgentCapabilities(streaming=True, push_notifications=True)),
        default_input_modes=("text/plain",),
        default_output_modes=("text/plain",),
        skills=(),
        **members,
    )


@over_http
@requirement("VER-03", "VER-11", "RPC-02", "RPC-04", "RST-02", "RST-04", "RST-07", "BND-06")
async def test_every_operation_goes_out_in_the_form_of_its_binding_with_the_version(
    client, recorder, binding
):
    handle = await begin(client, "door", skill="hold", return_immediately=True)
    config = await client.create_push_config(handle.id, "http://127.0.0.1:9/hook")
    await client.get_push_config(handle.id, config.id)
    assert [entry.id async for entry in client.list_push_configs(handle.id)] == [config.id]
    await client.delete_push_config(handle.id, config.id)
    await client.get_task(handle.id, history_length=1)
    assert [task.id async for task in client.list_tasks(include_artifacts=True)] == [handle.id]
    async with client.subscribe(handle.id) as stream:
        await anext(stream)
    await handle.cancel()
    assert [event async for event in client.stream("hello")]
    task, hook = f"/tasks/{handle.id}", f"/tasks/{handle.id}/pushNotificationConfigs"
    routes = [
        ("SendMessage", "POST", "/message:send"),
        ("CreateTaskPushNotificationConfig", "POST", hook),
        ("GetTaskPushNotificationConfig", "GET", f"{hook}/{config.id}"),
        ("ListTaskPushNotificationConfigs", "GET", hook),
        ("DeleteTaskPushNotificationConfig", "DELETE", f"{hook}/{config.id}"),
        ("GetTask", "GET", task),
        ("ListTasks", "GET", "/tasks"),
        ("SubscribeToTask", "POST", f"{task}:subscribe"),
        ("CancelTask", "POST", f"{task}:cancel"),
        ("SendStreamingMessage", "POST", "/message:stream"),
    ]
    assert {seen.headers["a2a-version"] for seen in recorder.seen} == {"1.0"}
    if binding == "jsonrpc":
        assert [seen.json["method"] for seen in recorder.seen] == [name for name, _, _ in routes]
        assert {(seen.verb, seen.path, seen.headers["content-type"]) for seen in recorder.seen} == {
            ("POST", "/", "application/json")
        }
        assert all(seen.json["jsonrpc"] == "2.0" and seen.json["id"] for seen in recorder.seen)
    else:
        assert [(seen.verb, seen.path) for seen in recorder.seen] == [
            (verb, path) for _, verb, path in routes
        ]
        assert all(not seen.body for seen in recorder.seen if seen.verb != "POST")
        assert recorder.seen[5].query == {"historyLength": ["1"]}
        assert recorder.seen[6].query == {"includeArtifacts": ["true"]}


@requirement("RST-05", "RST-08")
async def test_arguments_are_percent_encoded_in_path_and_query(recorder, parrot):
    await parrot.start()
    async with Client(recorder, bindings=[Binding.REST]) as client:
        with pytest.raises(Exception, match="not found"):
            await client.get_task("a/b:c?d é")
        assert [task async for task in client.list_tasks(context="a&b=c é", page_size=3)] == []
    await parrot.stop()
    assert recorder.seen[0].raw_path == "/tasks/a%2Fb%3Ac%3Fd%20%C3%A9"
    assert recorder.seen[1].query == {"contextId": ["a&b=c é"], "pageSize": ["3"]}


@over_http
@requirement("RPC-03", "RST-03")
async def test_extensions_are_joined_by_commas(parrot, recorder, binding):
    await parrot.start()
    async with Client(recorder, bindings=[KINDS[binding]], extensions=["urn:a/v1", "urn:b/v2"]) as client:
        await client.ask("hello")
    await parrot.stop()
    named = recorder.last.headers["a2a-extensions"].replace(" ", "").split(",")
    assert named == ["urn:a/v1", "urn:b/v2", *OWN_EXTENSIONS]


@requirement("SND-11")
@pytest.mark.parametrize("streaming", [True, False])
async def test_what_was_sent_without_waiting_is_followed_by_stream_or_by_polling(binding, streaming):
    parrot = Parrot(streaming=streaming, grpc=GRPC)
    await parrot.start()
    async with Client(parrot, bindings=[KINDS[binding]], polling_seconds=0) as client:
        handle = await begin(client, "door", skill="hold", return_immediately=True)
        assert not handle.state.is_terminal
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(handle.result())
            await parrot.gates.reached("door")
            parrot.gates.open("door")
        assert waiting.result().state is TaskState.COMPLETED
        assert handle.text == "held"
    await parrot.stop()


@over_http
@requirement("SND-14", "CTX-06", "CTX-16")
async def test_a_first_message_has_no_ids_of_tasks_or_contexts(client, recorder):
    push = TaskPushNotificationConfig(url="http://127.0.0.1:9/hook")
    await client.send("hello", push=push)
    sent = recorder.last.params
    assert set(sent["message"]) == {"messageId", "role", "parts"}
    assert sent["configuration"]["taskPushNotificationConfig"] == {"url": push.url}


@over_http
@requirement("CTX-07", "CTX-14", "CTX-17", "CTX-19")
async def test_ids_of_the_agent_go_back_as_they_came(client, recorder):
    handle = await begin(client, "", skill="ask")
    await handle.reply("red")
    message = recorder.last.params["message"]
    assert (message["taskId"], message["contextId"]) == (handle.id, handle.context_id)
    await client.send("hello", context=handle.context_id)
    message = recorder.last.params["message"]
    assert message["contextId"] == handle.context_id
    assert "taskId" not in message


@requirement("CTX-18", "CTX-22")
async def test_a_message_of_the_caller_s_own_keeps_what_it_says(client, parrot):
    earlier = await client.send("hello")
    message = Message(
        message_id="mine", role=Role.USER, parts=(Part.of_text("x"),), reference_task_ids=(earlier.id,)
    )
    await client.send(message, skill="listen")
    heard = parrot.heard[0]
    assert (heard.message_id, heard.reference_task_ids) == ("mine", (earlier.id,))


@over_http
@requirement("LST-05")
async def test_pages_are_read_until_the_token_is_empty(client, recorder):
    for number in range(5):
        await client.send(str(number))
    before = len(recorder.seen)
    tasks = [task async for task in client.list_tasks(page_size=2)]
    assert len({task.id for task in tasks}) == 5
    assert len(recorder.seen) - before == 3


@over_http
@requirement("CAP-07")
async def test_what_the_card_does_not_promise_is_not_asked_for(binding):
    parrot = Parrot(streaming=False, push_notifications=False)
    recorder = Recorder(parrot)
    await parrot.start()
    async with Client(recorder, bindings=[KINDS[binding]], polling_seconds=0) as client:
        with pytest.raises(PushNotificationNotSupportedError):
            await client.create_push_config("t1", "http://127.0.0.1:9/hook")
        with pytest.raises(UnsupportedOperationError):
            await client.extended_card()
        assert recorder.seen == []
        assert await client.ask("hello") == "hello"
        assert [event async for event in client.stream("hello")]
    await parrot.stop()
    paths = {seen.path for seen in recorder.seen} | {
        seen.json.get("method") for seen in recorder.seen if seen.body
    }
    assert paths & {"/message:stream", "SendStreamingMessage", "SubscribeToTask"} == set()


@requirement("MSG-05", "MSG-03", "STR-20")
async def test_results_are_read_from_artifacts_and_not_from_history_or_statuses(client, parrot):
    done = await client.send("hello", history_length=0)
    assert not done.task.history
    assert done.text == "hello"
    late = await client.send("door", skill="hold", return_immediately=True)
    await parrot.gates.reached("door")  # "holding" was said by now, and nobody listened
    parrot.gates.open("door")
    assert (await client.task(late.id)).artifacts[0].parts[0].text == "held"


@requirement("ITA-09")
async def test_a_caller_who_signs_in_elsewhere_follows_the_task(client, parrot):
    async def sign_in_elsewhere(question):
        assert question.is_about_credentials
        assert question.text == "sign in at the desk"
        async with Client(parrot) as elsewhere:
            key = Message(
                message_id="k1", role=Role.USER, parts=(Part.of_text("the key"),), task_id=question.task.id
            )
            await elsewhere.send(key)

    answer = await client.ask("", skill="authorise", on_question=sign_in_elsewhere)
    assert answer == "thank you for the key"
    with pytest.raises(InputRequiredError):
        await client.ask("", skill="authorise")


@over_http
@requirement("AUT-08", "ENT-01", "EXT-01")
async def test_credentials_go_with_every_request_in_headers_only(binding):
    parrot = Parrot(authenticator=admit_by_name)
    recorder = Recorder(parrot)
    challenges = []

    async def sign_in(challenge):
        challenges.append(challenge)
        return {"Authorization": "Bearer alice" if challenge else "Bearer expired"}

    await parrot.start()
    async with Client(recorder, bindings=[KINDS[binding]], auth=sign_in) as client:
        handle = await begin(client, "hello")
        assert (await client.get_task(handle.id)).state is TaskState.COMPLETED
    async with Client(
        recorder, bindings=[KINDS[binding]], headers={"Authorization": "Bearer mallory"}
    ) as client:
        with pytest.raises(UnauthenticatedError):
            await client.send("hello")
    await parrot.stop()
    assert 'Bearer realm="parrot"' in challenges
    assert all("authorization" in seen.headers for seen in recorder.seen)
    told = [seen.body + str(seen.query).encode() + seen.path.encode() for seen in recorder.seen]
    assert not any(secret in text for text in told for secret in (b"alice", b"expired", b"mallory"))


@requirement("EXT-01", "EXT-03")
async def test_the_extended_card_takes_the_place_of_the_public_one(binding):
    parrot: Parrot = Parrot(
        extended_card=lambda caller: replace_members(parrot.card_facts(), name="Parrot for Alice"),
        authenticator=admit_by_name,
        grpc=GRPC,
    )
    await parrot.start()
    async with Client(parrot, bindings=[KINDS[binding]], headers={"Authorization": "Bearer alice"}) as client:
        assert (await client.card()).name == "Parrot"
        assert (await client.extended_card()).name == "Parrot for Alice"
        assert (await client.card()).name == "Parrot for Alice"
        assert await client.ask("hello") == "hello"
    await parrot.stop()


class Hosts:
    """An app for each host name; a request to any other does not get through."""

    def __init__(self, **apps):
        self.recorders = {host.replace("_", "-"): Recorder(app) for host, app in apps.items()}

    async def __call__(self, scope, receive, send):
        host = dict(scope["headers"])[b"host"].decode()
        await self.recorders[host](scope, receive, send)


@requirement("CRD-06", "CRD-07", "CRD-08", "VER-09", "BND-06")
async def test_the_first_interface_that_the_client_speaks_is_used_at_its_url(parrot):
    await parrot.start()
    hosts = Hosts(rest=parrot, rpc=parrot)
    later = AgentInterface(url="http://later", protocol_binding="JSONRPC", protocol_version="2.0")
    strange = AgentInterface(
        url="http://own", protocol_binding="https://example.org/own/v1", protocol_version="1.0"
    )
    card = make_card(
        later, strange, interface(Binding.REST, "http://rest"), interface(Binding.JSONRPC, "http://rpc")
    )
    async with Client(card, http=AsgiHttp(hosts)) as client:
        await client.ask("hello")
    async with Client(card, http=AsgiHttp(hosts), bindings=[Binding.JSONRPC]) as client:
        await client.ask("hello")
    await parrot.stop()
    assert [seen.path for seen in hosts.recorders["rest"].seen] == ["/message:stream"]
    assert [seen.json["method"] for seen in hosts.recorders["rpc"].seen] == ["SendStreamingMessage"]


@requirement("VER-02")
async def test_a_patch_number_in_the_card_changes_nothing(parrot):
    await parrot.start()
    entry = replace_members(interface(url=BASE), protocol_version="1.0.7")
    recorder = Recorder(parrot)
    async with Client(make_card(entry), http=AsgiHttp(recorder)) as client:
        await client.ask("hello")
    await parrot.stop()
    assert recorder.last.headers["a2a-version"] == "1.0"


@requirement("VER-10")
@pytest.mark.parametrize("version", ["0.3", "2.0"])
async def test_a_client_does_not_speak_a_generation_that_it_was_not_given(recorder, version):
    entry = replace_members(interface(), protocol_version=version)
    client = Client(make_card(entry), http=AsgiHttp(recorder), generations=[Generation.V1_0])
    async with client:
        with pytest.raises(VersionMismatch, match=version):
            await client.ask("hello")
    assert recorder.seen == []


@over_http
@requirement("CRD-09")
@pytest.mark.parametrize("tenant", ["acme", ""])
async def test_every_request_names_the_tenant_of_its_interface_or_none(parrot, binding, tenant):
    await parrot.start()
    recorder = Recorder(parrot)
    entry = interface(KINDS[binding], BASE, tenant=tenant)
    async with Client(make_card(entry), http=AsgiHttp(recorder)) as client:
        handle = await begin(client, "hello")
        await client.get_task(handle.id)
        assert [task.id async for task in client.list_tasks()] == [handle.id]
    await parrot.stop()
    if binding == "jsonrpc":
        assert {seen.params.get("tenant", "") for seen in recorder.seen} == {tenant}
    else:
        prefix = f"/{tenant}/" if tenant else "/"
        assert [seen.path.startswith(f"/{tenant}/") if tenant else True for seen in recorder.seen] == [
            True
        ] * 3
        assert recorder.seen[0].path == f"{prefix}message:send"
        assert recorder.seen[0].params.get("tenant", "") == tenant


@requirement("BND-07")
async def test_an_interface_that_cannot_be_reached_is_passed_over(parrot):
    """Over sockets: that a request never left is what makes it safe to send elsewhere."""
    await parrot.start()
    dead = interface(Binding.JSONRPC, f"http://127.0.0.1:{find_unused_port()}")
    async with serving(parrot) as url, Client(make_card(dead, interface(Binding.REST, url))) as client:
        assert await client.ask("hello") == "hello"
    await parrot.stop()


@requirement("CCH-05", "CCH-06", "CCH-07")
async def test_a_card_is_kept_as_long_as_the_agent_says_and_then_asked_after(parrot):
    recorder, now = Recorder(parrot), 0.0
    await parrot.start()
    async with Client(recorder, world=World(now=lambda: now)) as client:
        card = await client.card()
        now = 59.0
        assert await client.card() == card
        assert len(recorder.cards) == 1
        now = 61.0
        assert await client.card() == card
    await parrot.stop()
    assert len(recorder.cards) == 2
    assert recorder.cards[1].headers["if-none-match"]
    assert recorder.cards[1].headers["if-modified-since"]
