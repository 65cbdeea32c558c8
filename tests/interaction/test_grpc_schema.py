"""Our schemas beside the official SDKs': names, numbers and types of everything."""

import json

import pytest

from dragoman.wire.grpc.schema import open_pool
from tests.interaction.peer_process import PYTHON_03, needs_peer, needs_peer_03, run_peer
from tests.peer.schema import describe_file

pytestmark = pytest.mark.slow


@needs_peer
async def test_our_schema_is_the_official_one():
    official = json.loads(await run_peer("tests.peer.official_schema"))
    assert len(official) > 60
    assert describe("a2a.proto") == official


@needs_peer_03
async def test_our_schema_of_0_3_is_the_official_one():
    official = json.loads(await run_peer("tests.peer.official_schema_03", python=PYTHON_03))
    assert len(official) > 55
    assert describe("a2a_03.proto") == official


def describe(name):
    """As JSON brings it back."""
    return json.loads(json.dumps(describe_file(open_pool().FindFileByName(name))))
