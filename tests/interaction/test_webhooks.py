"""Push configurations and what they deliver (SPEC 2.7, 5)."""

from datetime import timedelta

import pytest

from dragoman.bus import LocalBus
from dragoman.engine import DeliveryError, DeliveryPolicy
from dragoman.server import AgentApp, GrpcOptions
from dragoman.server.webhooks import WebhookOptions, WebhookSender
from dragoman.store import open_store
from tests.interaction.agents import LOOPBACK, Parrot
from tests.interaction.requirements import requirement
from tests.interaction.wires import send_params, state_of
from tests.peer.receiver import Receiver

NOWHERE = "http://127.0.0.1:9/hook"


@pytest.fixture
async def receiver():
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def held(wire, parrot):
    """A task that works until the gate `door` opens."""
    task = (await wire.send("door", "hold", returnImmediately=True)).task
    await parrot.gates.reached("door")
    return task["id"]


async def create(wire, task_id, url=NOWHERE, **members):
    answer = await wire.call("CreateTaskPushNotificationConfig", {"taskId": task_id, "url": url, **members})
    assert answer.failure is None, answer.failure
    return answer.result


async def list_configs(wire, task_id):
    answer = await wire.call("ListTaskPushNotificationConfigs", {"taskId": task_id})
    return answer.result.get("configs", [])


@requirement("PCF-03", "PCF-04", "PCF-06")
async def test_a_configuration_gets_an_id_and_can_be_read_back(wire, held):
    made = await create(wire, held, token="t1", authentication={"scheme": "Bearer", "credentials": "c1"})
    mine = await create(wire, held, id="mine")
    got = (await wire.call("GetTaskPushNotificationConfig", {"taskId": held, "id": made["id"]})).result
    assert made["id"]
    assert made["taskId"] == held
    assert got["url"] == NOWHERE
    assert got["authentication"]["scheme"] == "Bearer"
    assert mine["id"] == "mine"
    assert {config["id"] for config in await list_configs(wire, held)} == {made["id"], "mine"}


@requirement("PCF-05", "PCF-10")
async def test_a_configuration_that_is_not_there_and_a_task_that_is_not_there_are_not_found(wire, held):
    missing = {"taskId": held, "id": "missing"}
    assert (await wire.call("GetTaskPushNotificationConfig", missing)).error.reason == "TASK_NOT_FOUND"
    for operation, params in {
        "CreateTaskPushNotificationConfig": {"taskId": "nobody", "url": NOWHERE},
        "GetTaskPushNotificationConfig": {"taskId": "nobody", "id": "any"},
        "ListTaskPushNotificationConfigs": {"taskId": "nobody"},
        "DeleteTaskPushNotificationConfig": {"taskId": "nobody", "id": "any"},
    }.items():
        assert (await wire.call(operation, params)).error.reason == "TASK_NOT_FOUND", operation


@requirement("PCF-08", "PCF-09")
async def test_a_deleted_configuration_is_gone_and_can_be_deleted_again(wire, parrot, held, receiver):
    deleted = await create(wire, held, receiver.url, id="deleted", token="deleted")
    await create(wire, held, receiver.url, id="kept", token="kept")
    answers = [
        await wire.call("DeleteTaskPushNotificationConfig", {"taskId": held, "id": deleted["id"]})
        for _ in range(2)
    ]
    assert [(answer.status, answer.result) for answer in answers] == [(200, {})] * 2
    assert [config["id"] for config in await list_configs(wire, held)] == ["kept"]
    parrot.gates.open("door")
    taken = await receiver.until_state("TASK_STATE_COMPLETED")
    assert {one.headers["x-a2a-notification-token"] for one in taken} == {"kept"}


@requirement("PCF-01", "PSH-01", "PSH-06", "PSH-18")
async def test_a_webhook_is_told_what_happens_in_order_with_its_credentials(wire, parrot, held, receiver):
    authentication = {"scheme": "Bearer", "credentials": "s3cret"}
    await create(wire, held, receiver.url, token="tok", authentication=authentication)
    parrot.gates.open("door")
    taken = await receiver.until_state("TASK_STATE_COMPLETED")
    assert [list(one.payload) for one in taken] == [["artifactUpdate"], ["statusUpdate"]]
    assert {one.headers["content-type"] for one in taken} == {"application/a2a+json"}
    assert {one.headers["authorization"] for one in taken} == {"Bearer s3cret"}
    assert {one.headers["x-a2a-notification-token"] for one in taken} == {"tok"}
    assert {payload["taskId"] for one in taken for payload in one.payload.values()} == {held}


@requirement("PCF-02")
async def test_a_configuration_lives_until_its_task_is_over(wire, receiver):
    task = (await wire.send("", "ask")).task
    await create(wire, task["id"], receiver.url)
    assert len(await list_configs(wire, task["id"])) == 1
    await wire.send("red", task_id=task["id"])
    states = [state_of(one.payload) for one in await receiver.until_state("TASK_STATE_COMPLETED")]
    assert states[-1] == "COMPLETED"


@requirement("PCF-01", "SND-12", "PSH-06")
@pytest.mark.parametrize("operation", ["SendMessage", "SendStreamingMessage"])
async def test_a_configuration_inside_a_send_misses_no_event(wire, receiver, operation):
    params = send_params("hello", taskPushNotificationConfig={"url": receiver.url}, returnImmediately=True)
    if operation == "SendMessage":
        await wire.call(operation, params)
    else:
        async with wire.open(operation, params) as stream:
            await stream.rest()
    taken = await receiver.until_state("TASK_STATE_COMPLETED")
    assert state_of(taken[0].payload["task"]) == "SUBMITTED"
    assert any("artifactUpdate" in one.payload for one in taken)


@requirement("CAP-01", "CAP-02", "PCF-10")
async def test_an_agent_without_push_notifications_refuses_every_operation_on_them(connect):
    wire = await connect(Parrot(push_notifications=False))
    inline = send_params("hello", taskPushNotificationConfig={"url": NOWHERE})
    for operation, params in {
        "CreateTaskPushNotificationConfig": {"taskId": "any", "url": NOWHERE},
        "GetTaskPushNotificationConfig": {"taskId": "any", "id": "any"},
        "ListTaskPushNotificationConfigs": {"taskId": "any"},
        "DeleteTaskPushNotificationConfig": {"taskId": "any", "id": "any"},
        "SendMessage": inline,
        "SendStreamingMessage": inline,
    }.items():
        answer = await wire.call(operation, params)
        assert answer.error.reason == "PUSH_NOTIFICATION_NOT_SUPPORTED", operation


@requirement("PSH-07")
async def test_a_receiver_that_fails_is_told_again_in_order(binding, connect, parrot):
    quick = DeliveryPolicy(first_pause=timedelta())
    wire = await connect(make_app(parrot, quick))
    async with Receiver(statuses=[503, 500]) as receiver:
        await wire.send("hello", taskPushNotificationConfig={"url": receiver.url})
        taken = await receiver.until_state("TASK_STATE_COMPLETED")
    bodies = [one.body for one in taken]
    assert bodies[0] == bodies[1] == bodies[2]
    assert [state_of(one.payload) for one in taken[2:]][-1] == "COMPLETED"


@requirement("PSH-09")
async def test_a_receiver_that_fails_for_too_long_is_given_up(binding, connect, parrot, caplog):
    wire = await connect(make_app(parrot, DeliveryPolicy(first_pause=timedelta(), give_up_after=timedelta())))
    async with Receiver(statuses=[410]) as dead, Receiver() as alive:
        task = (await wire.send("", "ask", taskPushNotificationConfig={"url": dead.url})).task
        await dead.until(1)
        await create(wire, task["id"], alive.url)
        await wire.send("red", task_id=task["id"])
        await alive.until_state("TASK_STATE_COMPLETED")
    assert len(dead.taken) == 1


@requirement("PSH-08")
def test_a_receiver_has_ten_to_thirty_seconds_to_answer():
    assert timedelta(seconds=10) <= WebhookOptions().timeout <= timedelta(seconds=30)


@requirement("PSH-10", "PSH-19")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1"])
async def test_no_notification_enters_the_operator_s_own_network(receiver, host):
    sender = WebhookSender()
    url = receiver.url.replace("127.0.0.1", host)
    try:
        with pytest.raises(DeliveryError):
            await sender(url, {}, b"{}")
    finally:
        await sender.aclose()
    assert receiver.taken == []


@requirement("ERR-09", "PSH-10")
@pytest.mark.parametrize("url", ["", "hook", "ftp://example.org/hook", "http://", "file:///etc/passwd"])
async def test_a_webhook_that_is_not_http_is_refused_with_the_member_named(wire, held, url):
    answer = await wire.call("CreateTaskPushNotificationConfig", {"taskId": held, "url": url})
    assert answer.error.reason == "INVALID_PARAMS"
    assert answer.error.fields == ["url"]


def make_app(parrot, delivery):
    """The parrot with another policy of delivery, which an agent does not let its author choose."""
    app = parrot.app
    return AgentApp(
        card=lambda _: parrot.card_facts(),
        handler=app.engine._handler,
        name="parrot",
        store=open_store("memory:"),
        bus=LocalBus(),
        sender=WebhookSender(LOOPBACK),
        delivery=delivery,
        grpc=GrpcOptions(port=0),
    )
