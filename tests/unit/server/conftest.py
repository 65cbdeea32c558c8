import pytest

from dragoman.server import Service
from tests.unit.server.fakes import FakeEngine, make_card


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def app(engine: FakeEngine) -> Service:
    return Service(engine, card=make_card)
