# mypy: ignore-errors
# The contestants are not installed here, so nothing of theirs has a type.
"""httpx2 over httpcore2's public pool with a network backend of our own: the place where a resolved address is checked and
then dialled, and asyncio without anyio between."""

import asyncio
import socket

import httpcore2
import httpx2


class Stream(httpcore2.AsyncNetworkStream):
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def read(self, max_bytes, timeout=None):
        try:
            async with asyncio.timeout(timeout):
                return await self.reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout from error
        except OSError as error:
            raise httpcore2.ReadError from error

    async def write(self, buffer, timeout=None):
        if not buffer:
            return
        try:
            self.writer.write(buffer)
            async with asyncio.timeout(timeout):
                await self.writer.drain()
        except TimeoutError as error:
            raise httpcore2.WriteTimeout from error
        except OSError as error:
            raise httpcore2.WriteError from error

    async def aclose(self):
        self.writer.close()

    async def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        async with asyncio.timeout(timeout):
            await self.writer.start_tls(ssl_context, server_hostname=server_hostname)
        return self

    def get_extra_info(self, info):
        if info == "is_readable":  # an idle connection that is readable was closed by the peer
            return self.reader.at_eof() or bool(self.reader._buffer)  # noqa: SLF001 -- asyncio tells it in no other way
        return self.writer.get_extra_info(
            {"server_addr": "peername", "client_addr": "sockname"}.get(info, info)
        )


class Backend(httpcore2.AsyncNetworkBackend):
    async def connect_tcp(self, host, port, timeout=None, **_options):
        try:
            async with asyncio.timeout(timeout):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
                address = found[0][4][0]
                # the guard's place: check `address`, then dial that very address
                return Stream(*await asyncio.open_connection(address, port))
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout from error
        except OSError as error:
            raise httpcore2.ConnectError from error


class Body(httpx2.AsyncByteStream):
    def __init__(self, stream):
        self.stream = stream

    async def __aiter__(self):
        async for part in self.stream:
            yield part

    async def aclose(self):
        await self.stream.aclose()


class Transport(httpx2.AsyncBaseTransport):
    def __init__(self):
        self.pool = httpcore2.AsyncConnectionPool(
            network_backend=Backend(), max_connections=100, max_keepalive_connections=100
        )

    async def handle_async_request(self, request):
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        response = await self.pool.handle_async_request(
            httpcore2.Request(
                request.method,
                url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            response.status,
            headers=response.headers,
            stream=Body(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self):
        await self.pool.aclose()
