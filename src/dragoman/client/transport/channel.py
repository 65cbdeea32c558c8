"""A connection to a gRPC server, made when it is needed."""

import asyncio
from typing import TYPE_CHECKING

from dragoman.client.addresses import GrpcAddress
from dragoman.client.tls import Tls
from dragoman.model import NeverSent

if TYPE_CHECKING:
    import grpc.aio


class GrpcLink:
    """The channel to one address. It is opened in the event loop that uses it, and anew after it could not connect."""

    def __init__(
        self, address: GrpcAddress, *, url: str, tls: Tls | None, connect_seconds: float, max_bytes: int
    ) -> None:
        self._address = address
        self._url = url
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._max_bytes = max_bytes
        self._channel: grpc.aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = asyncio.Lock()

    async def connect(self) -> "grpc.aio.Channel":
        """A channel that is connected; NeverSent if there is no connection to be had."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._turn, self._channel = loop, asyncio.Lock(), None
        async with self._turn:
            channel = self._get_channel()
            try:
                async with asyncio.timeout(self._connect_seconds):
                    is_ready = await _wait_until_ready(channel)
            except TimeoutError:
                is_ready = False
            if not is_ready:
                self._channel = None
                await channel.close()
                raise NeverSent(
                    f"cannot connect to {self._url!r} for gRPC, {self._describe()}", url=self._url
                )
        return channel

    def _get_channel(self) -> "grpc.aio.Channel":
        if self._channel is None:
            self._channel = self._open()
        return self._channel

    async def close(self) -> None:
        """Give the connection up."""
        channel, self._channel = self._channel, None
        if channel is not None and self._loop is asyncio.get_running_loop():
            await channel.close()

    @property
    def _is_secure(self) -> bool:
        return self._address.is_secure

    def _describe(self) -> str:
        return "with TLS" if self._is_secure else "without TLS"

    def _open(self) -> "grpc.aio.Channel":
        import grpc
        import grpc.aio

        target = (
            f"dns:///{self._address.authority}"  # what a card says must never be read as `unix:` and the like
        )
        options = [
            ("grpc.max_receive_message_length", self._max_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1),  # else one failure would delay the next channel's attempt
            ("grpc.enable_http_proxy", 0),
            ("grpc.enable_retries", 0),  # what may be repeated is decided in `dragoman.client.retrying`
        ]
        if not self._is_secure:
            return grpc.aio.insecure_channel(target, options=options)
        return grpc.aio.secure_channel(
            target, grpc.ssl_channel_credentials(*(self._tls or Tls()).read()), options=options
        )


async def _wait_until_ready(channel: "grpc.aio.Channel") -> bool:
    import grpc

    given_up = (grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN)
    while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
        if state in given_up:
            return False
        await channel.wait_for_state_change(state)
    return True
