"""A gRPC server on a port of its own, which starts and stops with the agent."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import OVERALL_HEALTH
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from dragoman.engine.limits import Limits
from dragoman.server.grpc.service import GrpcService
from dragoman.server.grpc_options import GrpcOptions
from dragoman.server.grpc_place import GrpcPlace
from dragoman.wire.grpc.schema import open_pool

STOP_SECONDS = 1.0
"""How long calls may take to end after their agent has stopped."""

_KEEPALIVE_TIMEOUT_MILLIS = 20_000
_MIN_PING_MILLIS = 10_000
_MAX_METADATA_BYTES = 16 * 1024


class GrpcEndpoint:
    """Serves some services, with gRPC's own for health and, if wanted, reflection."""

    def __init__(
        self, services: Sequence[GrpcService], *, options: GrpcOptions, limits: Limits, place: GrpcPlace
    ) -> None:
        self._services = services
        self._options = options
        self._limits = limits
        self._place = place
        self._server: grpc.aio.Server | None = None
        self._health: health.HealthServicer | None = None

    async def start(self) -> None:
        """Listen; OSError if the port cannot be had, or a file of TLS cannot be read."""
        server = grpc.aio.server(options=self._settings())
        server.add_generic_rpc_handlers([service.handlers() for service in self._services])
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [service.name for service in self._services]
        if self._options.reflection:
            reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server, open_pool())
        port = self._bind(server)
        await server.start()
        self._server = server
        self._place.port = port
        await self._report(health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Tell whoever asks for its health that it takes no new work."""
        if self._health is not None:
            await self._health.enter_graceful_shutdown()

    async def stop(self) -> None:
        """Take no more calls, tell the other side of every connection, and cut off what does not end."""
        server, self._server = self._server, None
        if server is not None:
            await self.drain()
            await server.stop(STOP_SECONDS)
            self._place.port = 0

    async def _report(self, status: Any) -> None:
        assert self._health is not None  # made in `start`
        for name in (OVERALL_HEALTH, *(service.name for service in self._services)):
            await self._health.set(name, status)

    def _bind(self, server: grpc.aio.Server) -> int:
        options = self._options
        host = f"[{options.host}]" if ":" in options.host else options.host
        address = f"{host}:{options.port}"
        try:
            if options.certificate:
                return server.add_secure_port(address, _load_credentials(options))
            return server.add_insecure_port(address)
        except RuntimeError:
            raise OSError(
                f"cannot listen for gRPC at {address}: the port is taken, or not of this machine"
            ) from None

    def _settings(self) -> list[tuple[str, int]]:
        keepalive = int(self._options.keepalive.total_seconds() * 1000)
        return [
            ("grpc.max_receive_message_length", self._limits.max_body_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
            ("grpc.so_reuseport", int(self._options.shares_port)),
            ("grpc.keepalive_time_ms", keepalive),
            ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MILLIS),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _MIN_PING_MILLIS),
        ]


def _load_credentials(options: GrpcOptions) -> grpc.ServerCredentials:
    pair = (Path(options.key).read_bytes(), Path(options.certificate).read_bytes())
    roots = Path(options.client_ca).read_bytes() if options.client_ca else None
    return grpc.ssl_server_credentials([pair], roots, require_client_auth=roots is not None)
