from __future__ import annotations

from collections.abc import Callable, Iterator
from ssl import SSLContext

import pytest
from support.listeners import Listener, Script


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Start listeners that end with the test."""
    started: list[Listener] = []

    def start(script: Script, context: SSLContext | None = None) -> Listener:
        started.append(Listener(script, context))
        return started[-1]

    yield start
    for each in started:
        each.close()
