"""The generations before 1.0 that an agent serves: which one a call is of, and how it is carried out (SPEC 7.7)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from msgspec import Struct, structs
from starlette.types import Scope

from dragoman.engine.handler import Call
from dragoman.model import (
    JSON,
    LATEST,
    AgentCard,
    Generation,
    MethodNotFoundError,
    Operation,
    Record,
    SendMessageRequest,
    TaskNotFoundError,
    TaskPushNotificationConfig,
    requests,
)
from dragoman.security import Principal
from dragoman.server.dispatch import BoundOperation
from dragoman.server.gate import Gate
from dragoman.server.headers import RawHeaders
from dragoman.server.issuing import CardIssuer
from dragoman.server.streaming import Streams
from dragoman.wire.dialects import EITHER, Dialect, dialect_named, dialect_of
from dragoman.wire.parameters import negotiate

GENERATIONS = frozenset(Generation)
"""What an agent serves that says nothing else."""


class OlderCall(Struct, frozen=True):
    """A call of a generation before 1.0: `fallback` is the dialect in which it means another task, if it does.

    `tasks/get`, `tasks/cancel` and `tasks/resubscribe` are the same in 0.1 and in what came after, but 0.1 has its own ids.
    """

    operation: Operation
    dialect: Dialect
    fallback: Dialect | None = None


class OlderResult(Struct, frozen=True):
    """What became of it, and the dialect to say it in."""

    call: Call
    result: Any
    dialect: Dialect


class Caller(Struct, frozen=True):
    """Who calls, and with what."""

    scope: Scope
    headers: RawHeaders
    principal: Principal


class Older:
    """Carries out the calls of older generations, each in its own words."""

    def __init__(
        self,
        generations: frozenset[Generation],
        *,
        gate: Gate,
        operations: Mapping[str, BoundOperation],
        find_name: Callable[[Call, str], str],
        issuer: CardIssuer,
        streams: Streams,
    ) -> None:
        served = sorted(generations - {LATEST}, key=lambda generation: generation.value, reverse=True)
        self.served = tuple(served)
        self.streams = streams
        self.gate = gate
        self._operations = operations
        self._find_name = find_name
        self._issuer = issuer

    def choose(self, method: str, version: str) -> OlderCall:
        """The operation and the dialect of a JSON-RPC method; `version` is what the caller names, if it does.

        MethodNotFoundError if no generation served has it, VersionNotSupportedError if the one that is named has not.
        """
        knowing = [generation for generation in self.served if method in dialect_of(generation).methods]
        if not knowing:
            raise MethodNotFoundError(f"there is no method {method[:60]!r}")
        newest = dialect_of(knowing[0])
        operation = newest.methods[method]
        if version:
            return OlderCall(operation, dialect_of(negotiate(version, supported=frozenset(knowing))))
        if len(knowing) > 1 and knowing[-1] is Generation.V0_1:
            return OlderCall(operation, dialect_named(EITHER), dialect_of(Generation.V0_1))
        return OlderCall(operation, newest)

    def dialect_for(self, method: str) -> Dialect | None:
        """In which dialect to refuse a method, if an older generation served has it."""
        for generation in self.served:
            if method in dialect_of(generation).methods:
                return dialect_of(generation)
        return None

    async def carry_out(self, caller: Caller, older: OlderCall, params: JSON) -> OlderResult:
        """Do what is asked for; raises A2AErrors like any operation."""
        request = older.dialect.load_request(older.operation, params)
        return await self.run(caller, older, request)

    async def run(self, caller: Caller, older: OlderCall, request: Record) -> OlderResult:
        """The same with the request decoded."""
        dialect = older.dialect
        if dialect.generation is Generation.V0_1:
            return await self._run_first(caller, older, request)
        call = self._make_call(caller, dialect, request)
        bound = self._operations[older.operation.name]
        try:
            return OlderResult(call, await bound.run(call, request), dialect)
        except TaskNotFoundError:
            if older.fallback is None:
                raise
        call = self._make_call(caller, older.fallback, request)
        named = _with_task_id(request, self._find_name(call, _task_id_of(request)))
        return OlderResult(call, await bound.run(call, named), older.fallback)

    async def _run_first(self, caller: Caller, older: OlderCall, request: Record) -> OlderResult:
        """A caller of 0.1 names the tasks that it has made; others it may know by their ids."""
        bound, name = self._operations[older.operation.name], _task_id_of(request)
        if isinstance(request, SendMessageRequest):
            request = structs.replace(request, message=structs.replace(request.message, task_id=""))
            call = replace(self._make_call(caller, older.dialect, request), task_name=name)
            return OlderResult(call, await bound.run(call, request), older.dialect)
        call = self._make_call(caller, older.dialect, request)
        try:
            named = _with_task_id(request, self._find_name(call, name))
            return OlderResult(call, await bound.run(call, named), older.dialect)
        except TaskNotFoundError:
            return OlderResult(call, await bound.run(call, request), older.dialect)

    def _make_call(self, caller: Caller, dialect: Dialect, request: Record) -> Call:
        asked = self.gate.load_asked(caller.scope, caller.headers)
        call = self.gate.make_call(caller.principal, caller.headers, asked, request)
        return replace(call, generation=dialect.generation, last_event_id="")

    def dump(self, operation: Operation, done: OlderResult, scope: Scope) -> JSON:
        """The result in the words of its dialect; a card gets its addresses."""
        result = done.result
        if isinstance(result, AgentCard):
            result = self.complete(result, scope)
        return done.dialect.dump_result(operation, result)

    def complete(self, card: AgentCard, scope: Scope) -> AgentCard:
        """The card with its addresses."""
        return self._issuer.complete(card, scope)


def _task_id_of(request: Record) -> str:
    match request:
        case SendMessageRequest():
            return request.message.task_id
        case TaskPushNotificationConfig() | requests.GetTaskPushNotificationConfigRequest():
            return request.task_id
        case _:
            return str(getattr(request, "id", ""))


def _with_task_id(request: Record, task_id: str) -> Record:
    match request:
        case TaskPushNotificationConfig():
            # Where the webhook has no id of its own, it has its task's.
            own = task_id if request.id == request.task_id else request.id
            return structs.replace(request, task_id=task_id, id=own)
        case requests.GetTaskPushNotificationConfigRequest():
            return structs.replace(request, task_id=task_id)
        case _:
            return structs.replace(request, id=task_id)
