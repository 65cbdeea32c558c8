"""The four operations on push configurations (SPEC 2.7)."""

from collections.abc import Sequence

from msgspec import structs
from msgspec.structs import replace

from dragoman.engine.checks import check_push
from dragoman.engine.handler import Call
from dragoman.engine.roster import Roster
from dragoman.model import (
    LATEST,
    DeleteTaskPushNotificationConfigRequest,
    Empty,
    GetTaskPushNotificationConfigRequest,
    InvalidParamsError,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
    SendMessageRequest,
    TaskNotFoundError,
    TaskPushNotificationConfig,
)
from dragoman.store import PushDelivery, PushRegistration, Scope
from dragoman.wire import codec


class Pushing:
    """Webhooks of tasks: made, read and removed. `dragoman.engine.delivery` serves them."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    async def create(self, call: Call, config: TaskPushNotificationConfig) -> TaskPushNotificationConfig:
        """Register a webhook for what happens from now on; one with the same id is replaced (PCF-01, PCF-03)."""
        roster = self._roster
        check_push(config, roster.limits)
        scope = roster.scope_of(call)
        stored = await roster.store.load(scope, config.task_id)
        if stored is None:
            raise TaskNotFoundError
        config = replace(config, id=config.id or roster.new_id(), tenant=scope.tenant)
        push = PushRegistration(config.id, _dump_webhook(call, config), stored.last_seq)
        await register(roster, scope, config.task_id, push)
        return config

    async def get(
        self, call: Call, request: GetTaskPushNotificationConfigRequest
    ) -> TaskPushNotificationConfig:
        for push in await _list(self._roster, self._roster.scope_of(call), request.task_id):
            if request.id in ("", push.config_id):
                return load_config(push)
        raise TaskNotFoundError("the task has no push configuration with this id")

    async def list(
        self, call: Call, request: ListTaskPushNotificationConfigsRequest
    ) -> ListTaskPushNotificationConfigsResponse:
        """All of them: a task has few enough for one page (PCF-06)."""
        known = await _list(self._roster, self._roster.scope_of(call), request.task_id)
        return ListTaskPushNotificationConfigsResponse(configs=tuple(load_config(push) for push in known))

    async def delete(self, call: Call, request: DeleteTaskPushNotificationConfigRequest) -> Empty:
        """Remove it; removing it twice is no error (PCF-08, PCF-09)."""
        scope = self._roster.scope_of(call)
        if not await self._roster.store.delete_push(scope, request.task_id, request.id):
            raise TaskNotFoundError
        return Empty()


async def register(roster: Roster, scope: Scope, task_id: str, push: PushRegistration) -> None:
    """Create or replace the webhook; InvalidParamsError if the task has too many."""
    async with roster.registering.of(task_id):
        others = [known for known in await _list(roster, scope, task_id) if known.config_id != push.config_id]
        if len(others) >= roster.limits.max_push_configs:
            raise InvalidParamsError(
                f"the task has {len(others)} push configurations already; delete one first"
            )
        if not await roster.store.put_push(scope, task_id, push):
            raise TaskNotFoundError
    if live := roster.find(scope, task_id):
        live.has_push = True


async def _list(roster: Roster, scope: Scope, task_id: str) -> Sequence[PushDelivery]:
    known = await roster.store.list_push(scope, task_id)
    if known is None:
        raise TaskNotFoundError
    return known


class Webhook(TaskPushNotificationConfig, frozen=True, kw_only=True):
    """A webhook as it is kept, with the generation of the caller who registered it; "" is 1.0."""

    generation: str = ""


def push_of(
    call: Call, request: SendMessageRequest, roster: Roster, cursor: int = 0
) -> tuple[PushRegistration, ...]:
    """The webhook that came with a message, if one did; it is told of what comes after `cursor`."""
    config = request.configuration and request.configuration.task_push_notification_config
    if not config:
        return ()
    config = replace(config, id=config.id or roster.new_id())
    return (PushRegistration(config.id, _dump_webhook(call, config), cursor),)


def _dump_webhook(call: Call, config: TaskPushNotificationConfig) -> bytes:
    generation = "" if call.generation is LATEST else call.generation.value
    return codec.encode(Webhook(**structs.asdict(config), generation=generation))


def load_webhook(push: PushDelivery) -> Webhook:
    """The webhook as it is kept."""
    return codec.decode(Webhook, push.config)


def load_config(push: PushDelivery) -> TaskPushNotificationConfig:
    """The configuration as its owner made it, with the task it belongs to."""
    members = structs.asdict(load_webhook(push))
    del members["generation"]
    config = TaskPushNotificationConfig(**members)
    return replace(config, task_id=push.task_id, tenant=push.scope.tenant)
