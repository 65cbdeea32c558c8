"""The four operations on push configurations (SPEC 2.7, PCF-01 to PCF-10)."""

import asyncio

import pytest

from dragoman.engine import Call, Limits, Turn
from dragoman.model import (
    AgentCapabilities,
    AuthenticationInfo,
    DeleteTaskPushNotificationConfigRequest,
    GetTaskPushNotificationConfigRequest,
    InvalidParamsError,
    ListTaskPushNotificationConfigsRequest,
    PushNotificationNotSupportedError,
    TaskNotFoundError,
    TaskPushNotificationConfig,
)
from dragoman.security import Principal
from tests.unit.engine.kit import (
    ANYONE,
    INPUT_REQUIRED,
    Host,
    Receiver,
    Stage,
    nothing,
    question,
    serving,
    until,
)


def hook(task_id: str = "", config_id: str = "", url: str = "https://hook.example/x", **options):
    return TaskPushNotificationConfig(task_id=task_id, id=config_id, url=url, **options)


class Configs:
    """Short ways to the four operations."""

    def __init__(self, host: Host, call: Call = ANYONE) -> None:
        self._engine = host.engine
        self._call = call

    async def create(self, config: TaskPushNotificationConfig) -> TaskPushNotificationConfig:
        return await self._engine.create_push_config(self._call, config)

    async def get(self, task_id: str, config_id: str) -> TaskPushNotificationConfig:
        request = GetTaskPushNotificationConfigRequest(task_id=task_id, id=config_id)
        return await self._engine.get_push_config(self._call, request)

    async def list(self, task_id: str) -> list[TaskPushNotificationConfig]:
        request = ListTaskPushNotificationConfigsRequest(task_id=task_id)
        answer = await self._engine.list_push_configs(self._call, request)
        assert answer.next_page_token == ""
        return list(answer.configs)

    async def delete(self, task_id: str, config_id: str) -> None:
        request = DeleteTaskPushNotificationConfigRequest(task_id=task_id, id=config_id)
        await self._engine.delete_push_config(self._call, request)


async def ask(turn: Turn) -> None:
    await turn.ask(question(turn, "?"))


async def test_a_configuration_is_created_read_listed_and_deleted():
    async with serving(ask, sender=Receiver()) as host:
        configs = Configs(host)
        task = await host.send()
        secret = AuthenticationInfo(scheme="Bearer", credentials="s3cret")
        made = await configs.create(hook(task.id, token="t", authentication=secret))
        assert made.id != ""
        assert (made.task_id, made.token, made.authentication) == (task.id, "t", secret)
        assert await configs.get(task.id, made.id) == made
        other = await configs.create(hook(task.id, "mine"))
        assert other.id == "mine"
        assert sorted(one.id for one in await configs.list(task.id)) == sorted([made.id, "mine"])
        await configs.delete(task.id, made.id)
        await configs.delete(task.id, made.id)
        assert await configs.list(task.id) == [other]
        with pytest.raises(TaskNotFoundError):
            await configs.get(task.id, made.id)


async def test_a_configuration_with_a_known_id_is_replaced():
    async with serving(ask, sender=Receiver(), limits=Limits(max_push_configs=1)) as host:
        configs = Configs(host)
        task = await host.send()
        await configs.create(hook(task.id, "p"))
        await configs.create(hook(task.id, "p", "https://elsewhere.example"))
        assert [one.url for one in await configs.list(task.id)] == ["https://elsewhere.example"]


async def test_an_unknown_task_is_not_found_by_any_of_the_four():
    async with serving(nothing, sender=Receiver()) as host:
        configs = Configs(host)
        for attempt in (
            configs.create(hook("no-such-task")),
            configs.get("no-such-task", "p"),
            configs.list("no-such-task"),
            configs.delete("no-such-task", "p"),
        ):
            with pytest.raises(TaskNotFoundError):
                await attempt


@pytest.mark.parametrize("push_notifications", [None, False, True])
async def test_an_agent_that_does_not_push_says_so_to_all_four(push_notifications: bool | None):
    capabilities = AgentCapabilities(streaming=True, push_notifications=push_notifications)
    sender = None if push_notifications else Receiver()
    async with serving(nothing, capabilities=capabilities, sender=sender) as host:
        configs = Configs(host)
        task = await host.send()
        for attempt in (
            configs.create(hook(task.id)),
            configs.get(task.id, "p"),
            configs.list(task.id),
            configs.delete(task.id, "p"),
            host.send(push=hook()),
            host.stream(push=hook()),
        ):
            with pytest.raises(PushNotificationNotSupportedError):
                await attempt


@pytest.mark.parametrize(
    "config,field",
    [
        (hook("t", url="ftp://x.example"), "url"),
        (hook("t", url="hook"), "url"),
        (hook("t", url="https://"), "url"),
        (hook("t", url="https://x.example:0"), "url"),
        (hook("t", url="https://x.example:99999"), "url"),
        (hook("t", url="https://[::1"), "url"),
        (hook("t", url="https://x.example/\r\nX-Evil: 1"), "url"),
        (hook("t", url="https://x.example/a b"), "url"),
        (hook("t", "p" * 300), "id"),
        (hook("t", token="a\r\nX-Evil: 1"), "token"),
        (hook("t", authentication=AuthenticationInfo(scheme="Bearer\n")), "authentication.scheme"),
        (
            hook("t", authentication=AuthenticationInfo(scheme="Bearer", credentials="\x00")),
            "authentication.credentials",
        ),
        (hook(""), "taskId"),
    ],
)
async def test_what_is_wrong_with_a_configuration_is_named(config: TaskPushNotificationConfig, field: str):
    async with serving(nothing, sender=Receiver()) as host:
        with pytest.raises(InvalidParamsError) as caught:
            await Configs(host).create(config)
        assert [violation.field for violation in caught.value.violations] == [field]
        if field != "taskId":
            with pytest.raises(InvalidParamsError) as caught:
                await host.send(push=config)
            assert caught.value.violations[0].field == f"configuration.taskPushNotificationConfig.{field}"
            assert (await host.list()).total_size == 0


async def test_the_number_of_configurations_of_a_task_is_limited_on_every_way_in():
    async with serving(ask, sender=Receiver(), limits=Limits(max_push_configs=2)) as host:
        configs = Configs(host)
        task = await host.send(push=hook())
        await configs.create(hook(task.id))
        with pytest.raises(InvalidParamsError):
            await configs.create(hook(task.id))
        with pytest.raises(InvalidParamsError):
            await host.send(task_id=task.id, push=hook())
        assert (await host.get(task.id)).state is INPUT_REQUIRED
        assert len(await configs.list(task.id)) == 2


async def test_many_at_once_do_not_slip_past_the_limit():
    async with serving(ask, sender=Receiver(), limits=Limits(max_push_configs=3)) as host:
        configs = Configs(host)
        task = await host.send()
        list_push = host.store.list_push

        async def list_slowly(*args):
            known = await list_push(*args)
            await asyncio.sleep(0)
            return known

        host.store.list_push = list_slowly
        creates = [asyncio.create_task(configs.create(hook(task.id))) for _ in range(10)]
        await asyncio.wait(creates)
        assert sum(create.exception() is None for create in creates) == 3
        assert len(await configs.list(task.id)) == 3


async def test_a_configuration_that_comes_with_a_message_gets_an_id():
    async with serving(ask, sender=Receiver()) as host:
        task = await host.send(push=hook())
        [config] = await Configs(host).list(task.id)
        assert config.id != ""
        assert config.task_id == task.id
        await host.begin(task_id=task.id, push=hook(config_id="mine"))
        assert "mine" in [one.id for one in await Configs(host).list(task.id)]


async def test_a_task_that_vanishes_while_its_configuration_is_made_is_not_found():
    async with serving(ask, sender=Receiver()) as host:
        task = await host.send()

        async def put_nothing(*args):
            return False

        host.store.put_push = put_nothing
        with pytest.raises(TaskNotFoundError):
            await Configs(host).create(hook(task.id))


async def test_configurations_belong_to_the_owner_of_the_task():
    ada, eve = Call(Principal(subject="ada", tenant="acme")), Call(Principal(subject="ada", tenant="evil"))
    async with serving(ask, sender=Receiver()) as host:
        task = await host.send(call=ada, push=hook(config_id="p"))
        mine, foreign = Configs(host, ada), Configs(host, eve)
        for attempt in (
            foreign.create(hook(task.id)),
            foreign.get(task.id, "p"),
            foreign.list(task.id),
            foreign.delete(task.id, "p"),
        ):
            with pytest.raises(TaskNotFoundError):
                await attempt
        assert (await mine.get(task.id, "p")).tenant == "acme"


async def test_a_webhook_does_not_keep_a_task_in_memory():
    stage = Stage()
    async with serving(stage, sender=Receiver()) as host:
        task = await host.begin(push=hook())
        await Configs(host).create(hook(task.id))
        stage.go.set()
        await host.ended(task.id)
        await until(lambda: host.is_idle)


async def test_a_configuration_can_be_made_for_a_task_that_has_ended_and_hears_nothing():
    receiver = Receiver()
    async with serving(nothing, sender=receiver) as host:
        task = await host.send()
        made = await Configs(host).create(hook(task.id))
        assert await Configs(host).list(task.id) == [made]
        host.bus.ring("push")
    assert receiver.got == []
