"""`dragoman card` against a served agent, a file, and something that is no agent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dragoman.cli.exits import Exit
from tests.unit.cli.processes import run

pytestmark = pytest.mark.slow


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Something that gives one answer to everything, and what it was asked."""
    asked: list[dict[str, str]] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_card_is_shown_nicely(worker):
    text = run("card", worker.url).stdout
    assert text.startswith("Worker 1.0.0\n  Does this and that\n")
    assert f"{worker.url}/  (JSONRPC 1.0)" in text
    assert "  work: Do what the text says." in text


def test_a_card_is_shown_as_it_is_served(worker):
    by_agent, by_card = (
        run("card", place, "--json") for place in (worker.url, worker.ready["agents"][0]["card"])
    )
    assert json.loads(by_agent.stdout)["name"] == "Worker"
    assert by_agent.stdout == by_card.stdout


def test_the_card_of_our_own_agents_is_valid(worker):
    result = run("card", "validate", worker.url, "--json")
    assert (result.returncode, json.loads(result.stdout)) == (
        Exit.OK,
        {"valid": True, "problems": [], "advice": []},
    )


def test_a_card_in_a_file_is_told_every_reason(tmp_path):
    (tmp_path / "card.json").write_text('{"name": "X", "version": 1, "skils": []}')
    result = run("card", "validate", "card.json", cwd=tmp_path)
    assert result.returncode == Exit.FAILED
    assert "version: expected a non-empty string, found 1" in result.stdout
    assert "supportedInterfaces: is required and missing" in result.stdout
    assert "advice: skils: is not known and will be ignored; did you mean 'skills'?" in result.stdout
    assert "the card is not valid" in result.stderr


def test_a_card_may_come_from_a_pipe(worker):
    raw = run("card", worker.url, "--json").stdout
    assert run("card", "validate", "-", said=raw).returncode == Exit.OK


def test_headers_go_along():
    with answering(401, b"no", WWW_Authenticate="Bearer") as (url, asked):
        result = run("card", url, "-H", "Authorization: Bearer x", "-H", "X-Trace: 1")
    assert result.returncode in (Exit.REFUSED, Exit.UNREACHABLE)
    assert (asked[0]["authorization"], asked[0]["x-trace"]) == ("Bearer x", "1")


def test_credentials_do_not_follow_a_redirect_elsewhere():
    with (
        answering(404, b"") as (other, asked),
        answering(302, b"", Location=f"{other}/card.json") as (url, _),
    ):
        run("card", url, "-H", "Authorization: Bearer x")
    assert asked
    assert "authorization" not in asked[0]


@pytest.mark.parametrize("status, body", [(404, b"nothing here"), (200, b"<html>"), (200, b"{}"), (500, b"")])
def test_something_that_is_no_agent_is_told_in_words(status, body):
    with answering(status, body) as (url, _):
        for command in (("card",), ("send", url, "hi")):
            result = run(*command, *([url] if command == ("card",) else []))
            assert result.returncode == Exit.UNREACHABLE, result.stderr
            assert "Traceback" not in result.stderr
            assert result.stderr.startswith("✗ ")
