"""Files by URL, from a real server on loopback, which no agent reaches unless it is told to."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import Agent, Client, Context, FileError, FileOptions, Message, Part, SyncContext, TaskState
from dragoman.agent.context_files import ContextFiles
from dragoman.agent.fetching import FileFetcher
from dragoman.agent.inflating import PIECE_BYTES, make_inflater
from dragoman.model import Role
from dragoman.security import EgressPolicy
from tests.interaction.sockets import find_unused_port, serving

LOOPBACK = EgressPolicy.allowing(["127.0.0.0/8"])
PNG = b"\x89PNG\r\n\x1a\n" + bytes(1000)
BOMB = 50_000_000
UNREACHABLE = "the file cannot be fetched: its server cannot be reached from here, or broke off"

REPLIES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/a.png": (200, {"content-type": "image/png"}, PNG),
    "/untyped": (200, {}, PNG),
    "/page": (200, {"content-type": "text/html; charset=utf-8"}, b"<p>log in</p>"),
    "/gone": (404, {}, b"gone"),
    "/empty": (204, {}, b""),
    "/moved": (302, {"location": "/a.png"}, b""),
    "/zipped": (200, {"content-type": "image/png", "content-encoding": "gzip"}, gzip.compress(PNG)),
    "/deflated": (200, {"content-encoding": "deflate"}, zlib.compress(PNG)),
    "/bomb": (200, {"content-encoding": "gzip"}, gzip.compress(bytes(BOMB))),
    "/torn": (200, {"content-encoding": "gzip"}, gzip.compress(PNG)[:-9]),
    "/lie": (200, {"content-encoding": "gzip"}, PNG),
    "/tail": (200, {"content-encoding": "gzip"}, gzip.compress(PNG) + b"more"),
    "/brotli": (200, {"content-encoding": "br"}, PNG),
    "/large": (200, {"content-type": "image/png"}, bytes(5000)),
}


class Files:
    """Serves `REPLIES`, and keeps the headers that it was asked with."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[bytes, bytes]]] = []

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.asked.append((scope["path"], dict(scope["headers"])))
        if scope["path"] == "/slow":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
            await receive()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if scope["path"] == "/endless":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while len(self.asked) == 1:
                await send({"type": "http.response.body", "body": bytes(1000), "more_body": True})
                await asyncio.sleep(0)
            return
        status, headers, body = REPLIES[scope["path"]]
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def files() -> Files:
    return Files()


@pytest.fixture
async def url(files) -> AsyncIterator[str]:
    async with serving(files) as address:
        yield address
        files.asked.append(("", {}))  # lets what is endless end


def make_files(**options: Any) -> ContextFiles:
    message = Message(message_id="m", role=Role.USER, parts=(Part.of_text("hi"),))
    modes = options.pop("modes", ())
    return ContextFiles(message, FileFetcher(FileOptions(**{"egress": LOOPBACK, **options})), modes)


async def refuse(files: ContextFiles, part: Part | str) -> str:
    with pytest.raises(FileError) as caught:
        await files.read(Part.of_url(part) if isinstance(part, str) else part)
    return caught.value.message


@pytest.mark.parametrize("path", ["/a.png", "/untyped", "/zipped", "/deflated"])
async def test_a_file_is_read_from_its_url(url, path):
    assert await make_files().read(Part.of_url(url + path, media_type="image/png")) == PNG


async def test_the_other_kinds_of_parts_are_read_as_they_are():
    files = make_files()
    assert await files.read(Part.of_bytes(b"x")) == b"x"
    assert await files.read(Part.of_text("é")) == "é".encode()
    assert await refuse(files, Part.of_data({"a": 1})) == "a data part is not a file"


async def test_a_file_comes_in_pieces(url):
    async with make_files().open(Part.of_url(url + "/a.png")) as pieces:
        assert b"".join([piece async for piece in pieces]) == PNG


async def test_who_leaves_early_hangs_up(url, files):
    async with make_files().open(Part.of_url(url + "/endless")) as pieces:
        assert await anext(pieces)


async def test_nothing_of_ours_goes_along(url, files):
    await make_files().read(Part.of_url(url + "/a.png"))
    [(_, headers)] = files.asked
    assert headers.keys() <= {b"host", b"accept", b"accept-encoding", b"user-agent", b"connection"}
    assert headers[b"user-agent"] == b"dragoman"


async def test_an_address_in_here_is_not_dialled(url, files, caplog):
    for address in (url, url.replace("127.0.0.1", "localhost"), "http://[::1]:1", "http://169.254.169.254"):
        said = await refuse(make_files(egress=EgressPolicy()), f"{address}/a.png")
        assert said == UNREACHABLE
    assert files.asked == []
    assert caplog.text.count("is not a public address") == 4


@pytest.mark.parametrize(
    "wrong",
    [
        "file:///etc/passwd",
        "ftp://example.com/a",
        "a.png",
        "//example.com/a",
        "http://",
        "http://[::1",
        "http://a:0/",
        "http://a:x/",
        "http://a b/",
        "http://a/\n",
        "data:text/plain,a",
        "",
    ],
)
async def test_what_is_no_web_address_is_refused(wrong):
    assert "absolute one of https or http" in await refuse(make_files(), wrong)


async def test_a_url_with_a_password_is_refused(url):
    assert "password" in await refuse(make_files(), url.replace("//", "//ada:secret@"))


async def test_plain_http_may_be_refused(url):
    assert "absolute one of https" in await refuse(make_files(schemes=("https",)), f"{url}/a.png")


@pytest.mark.parametrize(
    "path, words",
    [
        ("/gone", "answers HTTP 404"),
        ("/empty", "answers HTTP 204"),
        ("/moved", "redirects are not followed"),
        ("/torn", "not compressed as it says"),
        ("/lie", "not compressed as it says"),
        ("/tail", "not compressed as it says"),
        ("/brotli", "compressed as 'br'"),
        ("/large", "larger than 4000 bytes"),
        ("/bomb", "larger than 4000 bytes"),
        ("/endless", "larger than 4000 bytes"),
    ],
)
async def test_what_is_not_to_be_had_is_told_in_words_for_the_caller(url, files, path, words):
    assert words in await refuse(make_files(max_bytes=4000), url + path)
    assert [path for path, _ in files.asked] == [path]


async def test_a_file_of_another_type_is_refused(url):
    files = make_files()
    assert await refuse(files, Part.of_url(f"{url}/page", media_type="image/png")) == (
        "the file at this URL is 'text/html'; expected image/png"
    )
    assert await files.read(Part.of_url(f"{url}/page", media_type="text/*"))


async def test_the_modes_of_the_skill_count_where_the_part_says_nothing(url):
    assert "expected image/*" in await refuse(make_files(modes=("image/*",)), f"{url}/page")
    assert await make_files(modes=("image/*",)).read(Part.of_url(f"{url}/a.png")) == PNG


async def test_a_slow_file_is_given_up(url):
    said = await refuse(make_files(timeout=timedelta(seconds=0.1)), f"{url}/slow")
    assert said == "the file cannot be fetched within 0.1 seconds"


async def test_a_server_that_is_not_there_is_told_without_its_address():
    said = await refuse(make_files(), f"http://127.0.0.1:{find_unused_port()}/a")
    assert said == UNREACHABLE


@given(st.binary(max_size=200_000), st.sampled_from(["gzip", "deflate", "identity"]), st.integers(1, 70_000))
def test_what_was_compressed_comes_back_in_small_pieces(content, encoding, size):
    packs: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "identity": bytes,
    }
    packed = packs[encoding](content)
    inflater = make_inflater(encoding)
    assert inflater is not None
    pieces = [
        piece
        for start in range(0, len(packed), size)
        for piece in inflater.feed(packed[start : start + size])
    ]
    inflater.finish()
    assert b"".join(pieces) == content
    assert all(len(piece) <= max(PIECE_BYTES, size) for piece in pieces)


@given(st.binary(max_size=2000))
def test_any_bytes_are_inflated_or_refused(content):
    inflater = make_inflater("gzip")
    assert inflater is not None
    try:
        list(inflater.feed(content))
        inflater.finish()
    except zlib.error:
        pass


def make_reader() -> Agent:
    agent = Agent("Reader", files=FileOptions(egress=LOOPBACK, max_bytes=4000))

    @agent.skill
    async def read(ctx: Context) -> str:
        """Read files."""
        return ", ".join([str(len(await ctx.files.read(part))) for part in ctx.files.parts])

    @agent.skill
    def read_slowly(ctx: SyncContext) -> str:
        """Read files, in a thread."""
        said = []
        for part in ctx.files.parts:
            with ctx.files.open(part) as pieces:
                said.append(str(sum(map(len, pieces))))
            assert len(ctx.files.read(part)) == int(said[-1])
        return ", ".join(said)

    return agent


@pytest.mark.parametrize("skill", ["read", "read_slowly"])
async def test_a_skill_reads_files_wherever_they_are(url, skill):
    async with Client(make_reader()) as client:
        parts = [Part.of_bytes(b"12345"), Part.of_text("not a file"), Part.of_url(f"{url}/a.png")]
        assert await client.ask(parts, skill=skill) == f"5, {len(PNG)}"


@pytest.mark.parametrize("skill", ["read", "read_slowly"])
async def test_a_file_that_is_not_to_be_had_fails_the_task_with_the_reason(url, skill):
    async with Client(make_reader()) as client:
        task = await (await client.start(Part.of_url(f"{url}/large"), skill=skill))
        assert (task.state, task.text) == (TaskState.FAILED, "the file is larger than 4000 bytes")
