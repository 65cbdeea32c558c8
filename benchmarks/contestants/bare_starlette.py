"""The other floor: what the bare callable does, behind Starlette's routing, Request and Response."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.contestants.bare import CALLS, make_message, make_task, reply


async def handle(request: Request) -> Response:
    call = CALLS.decode(await request.body())
    message = call.params.message
    assert message is not None
    text = message.parts[0].text or ""
    result = {"message": make_message(text)} if text.startswith("message") else {"task": make_task(message)}
    return Response(reply(call, result), media_type="application/json")


app = Starlette(routes=[Route("/", handle, methods=["POST"])])
