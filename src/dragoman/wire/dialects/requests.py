"""Requests of the generations before 1.0, brought to the shape of 1.0 (SPEC 7.3, 7.4, 7.5)."""

import re
from collections.abc import Mapping

from dragoman.model import (
    JSON,
    GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest,
)
from dragoman.wire.codec import convert
from dragoman.wire.dialects.members import copy, pick, put, refuse
from dragoman.wire.dialects.reading import read_message
from dragoman.wire.narrowing import is_array, is_object

_TASK_NAME = re.compile(r"tasks/([^/]+)")
_CONFIG_NAME = re.compile(r"tasks/([^/]+)/pushNotificationConfigs/([^/]*)")

DEFAULT_SCHEME = "Bearer"
"""For credentials that came without the scheme that they belong to."""


def read_send(params: Mapping[str, JSON], *, blocks: bool) -> dict[str, JSON]:
    """SendMessage; `blocks` is what a send does that does not say whether it does."""
    request = copy(params, "metadata")
    put(request, "message", read_message(pick(params, "message", "request")))
    request["configuration"] = read_configuration(pick(params, "configuration"), blocks=blocks)
    return request


def read_configuration(value: JSON, *, blocks: bool) -> JSON:
    """How a send is to be carried out."""
    if value is None:
        value = {}
    if not is_object(value):
        return value
    configuration = copy(value, "acceptedOutputModes")
    put(configuration, "historyLength", _read_length(value))
    blocking = pick(value, "blocking")
    if blocking is not None and not isinstance(blocking, bool):
        refuse("configuration.blocking", "must be true or false")
    configuration["returnImmediately"] = not (blocks if blocking is None else blocking)
    push = pick(value, "pushNotificationConfig", "pushNotification")
    put(configuration, "taskPushNotificationConfig", read_push(push))
    return configuration


def read_push(value: JSON) -> JSON:
    """A webhook, without its task; of several schemes the first, for 1.0 has but one."""
    if not is_object(value):
        return value
    config = copy(value, "id", "url", "token")
    authentication = pick(value, "authentication")
    put(config, "authentication", _read_authentication(authentication))
    return config


def _read_authentication(value: JSON) -> JSON:
    if not is_object(value):
        return value
    schemes = pick(value, "schemes")
    first: JSON = schemes[0] if is_array(schemes) and schemes else pick(value, "scheme")
    credentials = pick(value, "credentials")
    if not first and not credentials:
        return None
    authentication: dict[str, JSON] = {"scheme": first or DEFAULT_SCHEME}
    put(authentication, "credentials", credentials)
    return authentication


def read_task_push(value: Mapping[str, JSON]) -> dict[str, JSON]:
    """A webhook with its task, in any shape; one without an id gets the task's, as every SDK has it."""
    if is_object(inner := pick(value, "config")):
        outer, value = value, inner
    else:
        outer = value
    config = read_push(pick(value, "pushNotificationConfig"))
    if config is None:
        empty: dict[str, JSON] = {}
        config = read_push(dict(value)) if "url" in value else empty
    if not is_object(config):
        refuse("pushNotificationConfig", "must be an object")
    task_id, config_id = _find_names(outer, value)
    put(config, "taskId", task_id)
    if not config.get("id"):
        config["id"] = config_id or task_id or ""
    return config


def _find_names(outer: Mapping[str, JSON], value: Mapping[str, JSON]) -> tuple[JSON, JSON]:
    """The task's id and the configuration's, as far as they are named."""
    name = pick(value, "name")
    if isinstance(name, str) and (found := _CONFIG_NAME.fullmatch(name)):
        return found[1], pick(outer, "configId") or ("" if found[2] == "None" else found[2])
    parent = pick(outer, "parent")
    if isinstance(parent, str) and (found := _TASK_NAME.fullmatch(parent)):
        return found[1], pick(outer, "configId")
    task_id = pick(value, "taskId")
    return (pick(value, "id") if task_id is None else task_id), None


def read_config_query(params: Mapping[str, JSON]) -> dict[str, JSON]:
    """Which webhook of which task is meant."""
    query: dict[str, JSON] = {}
    put(query, "taskId", pick(params, "id", "taskId"))
    put(query, "id", pick(params, "pushNotificationConfigId"))
    return query


def load_config_query(query: dict[str, JSON]) -> GetTaskPushNotificationConfigRequest:
    """The webhook that is meant; without an id, which once was optional, it is any (SPEC 7.2)."""
    if query.get("id"):
        return convert(GetTaskPushNotificationConfigRequest, query)
    task_id = convert(ListTaskPushNotificationConfigsRequest, query).task_id
    return GetTaskPushNotificationConfigRequest(task_id=task_id, id="")


def read_task_query(params: Mapping[str, JSON]) -> dict[str, JSON]:
    """Which task is meant, with how much of its history."""
    query = copy(params, "id", "metadata")
    name = pick(params, "name")
    if "id" not in query and isinstance(name, str) and (found := _TASK_NAME.fullmatch(name)):
        query["id"] = found[1]
    put(query, "historyLength", _read_length(params))
    return query


def _read_length(value: Mapping[str, JSON]) -> JSON:
    """How much history is asked for; 0 sets no limit before 1.0 (SPEC 7.3)."""
    length = pick(value, "historyLength")
    return None if length in (0, "0") else length


def require_id(params: Mapping[str, JSON]) -> str:
    """The id that a caller of 0.1 gives to its task; InvalidParamsError if there is none."""
    task_id = pick(params, "id")
    if not isinstance(task_id, str) or not task_id:
        refuse("id", "is required: a non-empty string that the caller makes")
    return task_id
