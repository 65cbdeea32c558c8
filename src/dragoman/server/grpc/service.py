"""The operations of one agent as a gRPC service, in one generation (SPEC 3.4)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import grpc
import grpc.aio

from dragoman.engine.entries import StreamItem
from dragoman.engine.handler import Call
from dragoman.model import (
    LATEST,
    A2AError,
    AgentCard,
    ExtendedAgentCardNotConfiguredError,
    Operation,
    Record,
    UnsupportedOperationError,
)
from dragoman.model.operations import GET_EXTENDED_CARD
from dragoman.server.asked import Asked, make_echo
from dragoman.server.card import CardSource
from dragoman.server.dispatch import BoundOperation
from dragoman.server.failures import explain
from dragoman.server.grpc.dialect import GrpcDialect
from dragoman.server.grpc.refusing import refuse
from dragoman.server.grpc.requests import make_scope, read_metadata
from dragoman.server.grpc.streaming import GrpcStream
from dragoman.server.headers import RawHeaders
from dragoman.server.patience import Patience
from dragoman.server.surroundings import Surroundings
from dragoman.wire.marks import MARKS_EXTENSION
from dragoman.wire.parameters import negotiate

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"


class GrpcService:
    """Answers the calls to one service. Messages come and go as bytes, so that what is wrong in them is told in our words."""

    def __init__(
        self, around: Surroundings, dialect: GrpcDialect, *, public_card: CardSource, write_seconds: float
    ) -> None:
        self._around = around
        self._dialect = dialect
        self._public_card = public_card
        self._patience = Patience(write_seconds)

    @property
    def name(self) -> str:
        return self._dialect.service

    def handlers(self) -> grpc.GenericRpcHandler:
        """What a server of gRPC wants to know of it."""
        methods = {name: self._make_handler(operation) for name, operation in self._dialect.methods.items()}
        return grpc.method_handlers_generic_handler(self.name, methods)

    def _make_handler(self, operation: Operation) -> Any:
        bound = self._around.operations[operation.name]

        async def answer(data: bytes, context: Context) -> bytes:
            return await self._answer(bound, data, context)

        async def stream(data: bytes, context: Context) -> None:
            await self._stream(bound, data, context)

        if operation.streaming:
            make: Any = grpc.unary_stream_rpc_method_handler
            return make(stream)
        make = grpc.unary_unary_rpc_method_handler
        return make(answer)

    async def _answer(self, bound: BoundOperation, data: bytes, context: Context) -> bytes:
        try:
            call, request = await self._admit(bound.operation, data, context)
            result = await self._run(bound, call, request)
            if isinstance(result, AgentCard):
                result = self._around.issuer.issue_over_grpc(result)
            answer = self._dialect.dump(bound.operation, result)
            if call.extensions:
                await context.send_initial_metadata(self._make_echo(call))
            return answer
        except Exception as error:  # noqa: BLE001 — explain() logs what the protocol has no word for
            failure = explain(error)
        return await refuse(context, failure, self._dialect.code_of(failure))

    async def _run(self, bound: BoundOperation, call: Call, request: Record) -> Any:
        """Before 1.0, one method gives whatever card there is for the caller."""
        try:
            return await bound.run(call, request)
        except (UnsupportedOperationError, ExtendedAgentCardNotConfiguredError):
            if not (self._is_older and bound.operation is GET_EXTENDED_CARD):
                raise
            return self._public_card(call)

    async def _stream(self, bound: BoundOperation, data: bytes, context: Context) -> None:
        failure = await self._open_stream(bound, data, context)
        if failure is not None:
            await refuse(context, failure, self._dialect.code_of(failure))

    async def _open_stream(self, bound: BoundOperation, data: bytes, context: Context) -> A2AError | None:
        try:
            call, request = await self._admit(bound.operation, data, context)
            source = await bound.run(call, request)
        except Exception as error:  # noqa: BLE001 — explain() logs what the protocol has no word for
            return explain(error)
        stream = GrpcStream(
            source, dump=self._dumper(call), streams=self._around.streams, patience=self._patience
        )
        try:
            await context.send_initial_metadata(self._make_echo(call))
        except BaseException:
            await source.aclose()
            raise
        return await stream.deliver(context)

    async def _admit(self, operation: Operation, data: bytes, context: Context) -> tuple[Call, Record]:
        """The same checks in the same order as over HTTP."""
        gate = self._around.gate
        scope, headers = make_scope(context), read_metadata(context)
        principal = await gate.admit(scope, headers)
        asked = self._negotiate(scope, headers)
        request = self._dialect.load(operation, data)
        call = gate.make_call(principal, headers, asked, request)
        if self._is_older:
            call = replace(call, generation=self._dialect.generation, last_event_id="")
        return call, request

    @property
    def _is_older(self) -> bool:
        return self._dialect.generation is not LATEST

    def _negotiate(self, scope: dict[str, Any], headers: RawHeaders) -> Asked:
        """What the call asks for. The package names the generation, and the version must not say another (GRP-06)."""
        gate = self._around.gate
        if not self._is_older:
            return gate.negotiate(scope, headers)
        negotiate(gate.find_version(scope, headers), supported=frozenset({self._dialect.generation}))
        return gate.load_asked(scope, headers)

    def _dumper(self, call: Call) -> Callable[[StreamItem], bytes]:
        marked = MARKS_EXTENSION in call.extensions
        return lambda item: self._dialect.dump_event(item, marked=marked)

    def _make_echo(self, call: Call) -> tuple[tuple[str, str], ...]:
        """The metadata that tell a caller which extensions are active (XTN-06)."""
        echo = make_echo(call.extensions, self._dialect.extensions_header)
        return tuple((name.decode(), value.decode()) for name, value in echo)
