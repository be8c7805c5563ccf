"""Fixtures of the data plane's tests."""

from random import Random

import pytest
from support.data_plane import EchoTarget

from hookgate_rehearsal.data_plane.plane import DataPlane

SEED = 7


@pytest.fixture(name="plane")
def _plane():
    """A data plane whose choices by weight can be foretold."""
    with DataPlane(randomness=Random(SEED)) as plane:  # noqa: S311 - to be foretold
        yield plane


@pytest.fixture(name="records")
def _records(plane):
    """The access log."""
    records = []
    plane.observe_access(records.append)
    return records


@pytest.fixture(name="echo")
def _echo():
    """Make well-behaved targets."""
    made = []

    def make(name="blue", context=None):
        made.append(EchoTarget(name, context))
        return made[-1]

    yield make
    for target in made:
        target.close()
