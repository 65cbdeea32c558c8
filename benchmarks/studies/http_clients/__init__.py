"""CPU cost of asyncio HTTP clients for Dragoman's two calls: a small JSON POST and an SSE stream.

    python -m benchmarks.studies.http_clients [--rounds 5] [--loop asyncio|uvloop] [NAME ...]

Contestants run in fresh processes, interleaved round by round, against one uvicorn (httptools, uvloop).
CPU is user + system time of the client's process, all its threads. Medians, spread, ratio to `floor`.

It needs the contestants in its environment, and uvicorn, httptools and uvloop; Dragoman itself it does not.
"""
