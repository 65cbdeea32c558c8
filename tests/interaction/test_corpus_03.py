"""The types and the protobuf of the official SDK 0.3.26 read what we write in 0.3 and 0.2."""

import json

import pytest

from tests.interaction.peer_process import PYTHON_03, needs_peer_03, run_peer
from tests.unit.wire.dialects.corpus import CORPUS

pytestmark = [pytest.mark.slow, needs_peer_03]

READABLE = [one for one in CORPUS if one.is_written and one.dialect != "0.1"]


async def test_the_official_sdk_reads_all_that_we_write():
    samples = [
        {
            "path": one.path,
            "dialect": one.dialect,
            "what": one.what,
            "operation": one.operation,
            "wire": one.wire,
        }
        for one in READABLE
    ]
    told = await run_peer("tests.peer.corpus_03", told=json.dumps(samples), python=PYTHON_03)
    assert len(samples) > 100
    assert json.loads(told) == {}
