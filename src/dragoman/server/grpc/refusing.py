"""Ending a call with an error of the protocol (GRP-07, ERR-21)."""

import math
from typing import NoReturn

import grpc
import grpc.aio

from dragoman.model import A2AError, UnauthenticatedError, UnavailableError
from dragoman.wire.grpc.errors import DETAILS_KEY, dump_status


async def refuse(context: "grpc.aio.ServicerContext[bytes, bytes]", error: A2AError, code: str) -> NoReturn:
    """End the call: `code` and the words for people, the details for machines."""
    status = dump_status(error, code)
    trailers: list[tuple[str, str | bytes]] = [(DETAILS_KEY, status.details)]
    match error:
        case UnauthenticatedError():
            challenge = error.challenge.encode("ascii", "replace").decode()
            trailers.append(("www-authenticate", challenge))
        case UnavailableError():
            seconds = max(1, math.ceil(error.retry_after.total_seconds()))
            trailers.append(("retry-after", str(seconds)))
        case _:
            pass
    await context.abort(grpc.StatusCode[status.code], status.message, tuple(trailers))
    raise AssertionError  # abort has raised
