"""A test that hangs is a test that fails."""

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

_PATIENCE_SECONDS = 10


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        function = getattr(item, "obj", None)
        if inspect.iscoroutinefunction(function) and not hasattr(function, "hypothesis"):
            item.obj = _bounded(function)  # type: ignore[attr-defined]


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await function(*args, **kwargs)

    return run
