"""The four operations on push configurations (SPEC 2.7)."""

from collections.abc import Sequence

from msgspec.structs import replace

from dragoman.engine.checks import check_push
from dragoman.engine.handler import Call
from dragoman.engine.roster import Roster
from dragoman.model import (
    DeleteTaskPushNotificationConfigRequest,
    Empty,
    GetTaskPushNotificationConfigRequest,
    InvalidParamsError,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
    TaskNotFoundError,
    TaskPushNotificationConfig,
)
from dragoman.store import PushDelivery, PushRegistration
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
        known = await self._known(call, config.task_id)
        config = replace(config, id=config.id or roster.new_id())
        others = [push for push in known if push.config_id != config.id]
        if len(others) >= roster.limits.max_push_configs:
            raise InvalidParamsError(f"the task has {len(others)} push configurations already; delete one first")
        stored = await roster.store.load(scope, config.task_id)
        if stored is None:
            raise TaskNotFoundError
        push = PushRegistration(config.id, codec.encode(config), stored.last_seq)
        if not await roster.store.put_push(scope, config.task_id, push):
            raise TaskNotFoundError
        if live := roster.find(scope, config.task_id):
            live.has_push = True
        return config

    async def get(self, call: Call, request: GetTaskPushNotificationConfigRequest) -> TaskPushNotificationConfig:
        for push in await self._known(call, request.task_id):
            if push.config_id == request.id:
                return load_config(push)
        raise TaskNotFoundError("the task has no push configuration with this id")

    async def list(
        self, call: Call, request: ListTaskPushNotificationConfigsRequest
    ) -> ListTaskPushNotificationConfigsResponse:
        """All of them: a task has few enough for one page (PCF-06)."""
        known = await self._known(call, request.task_id)
        return ListTaskPushNotificationConfigsResponse(configs=tuple(load_config(push) for push in known))

    async def delete(self, call: Call, request: DeleteTaskPushNotificationConfigRequest) -> Empty:
        """Remove it; removing it twice is no error (PCF-08, PCF-09)."""
        scope = self._roster.scope_of(call)
        if not await self._roster.store.delete_push(scope, request.task_id, request.id):
            raise TaskNotFoundError
        return Empty()

    async def _known(self, call: Call, task_id: str) -> Sequence[PushDelivery]:
        known = await self._roster.store.list_push(self._roster.scope_of(call), task_id)
        if known is None:
            raise TaskNotFoundError
        return known


def load_config(push: PushDelivery) -> TaskPushNotificationConfig:
    """The configuration as its owner made it, with the task it belongs to."""
    config = codec.decode(TaskPushNotificationConfig, push.config)
    return replace(config, task_id=push.task_id, tenant=push.scope.tenant)
