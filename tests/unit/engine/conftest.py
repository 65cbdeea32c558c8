"""A test that hangs is a test that fails, and none waits for what is looked at once a second."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

_PATIENCE_SECONDS = 10
_LOOK_EVERY = timedelta(milliseconds=10)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        function = getattr(item, "obj", None)
        is_ours = Path(__file__).parent in item.path.parents
        if is_ours and inspect.iscoroutinefunction(function) and not hasattr(function, "hypothesis"):
            item.obj = _bounded(function)  # type: ignore[attr-defined]


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await function(*args, **kwargs)

    return run


@pytest.fixture(scope="package", autouse=True)
def look_often() -> Iterator[None]:
    """Lost rings cost time; here, only a little."""
    seconds = _LOOK_EVERY.total_seconds()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dragoman.engine.roster._LOOK_EVERY_SECONDS", seconds)
        patch.setattr("dragoman.engine.posting._LOOK_AGAIN_SECONDS", seconds)
        patch.setattr("dragoman.engine.mailroom._LOOK_EVERY", _LOOK_EVERY)
        patch.setattr("dragoman.engine.delivery._LOOK_EVERY", _LOOK_EVERY)
        yield
