"""Listeners, and an authority, of tests of the layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from ssl import SSLContext

import pytest
import trustme
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


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that signs certificates for tests."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    """The file with the authority's own certificate."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)
