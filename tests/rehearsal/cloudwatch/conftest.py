"""An emulator for the tests of a module; each uses names of its own."""

import pytest

from hookgate_rehearsal.cloudwatch.settings import CloudWatchSettings
from hookgate_rehearsal.emulator import Emulator, EmulatorSettings

PACE = 1 / 600  # a minute passes in a tenth of a second


@pytest.fixture(scope="module")
def emulator():
    """An emulator with nothing on it."""
    settings = EmulatorSettings(cloudwatch=CloudWatchSettings(pace=PACE))
    with Emulator(images={}, settings=settings) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def cloudwatch(emulator):
    """A client of it."""
    return emulator.client("cloudwatch")


@pytest.fixture
def name(request):
    """A name that no other test uses."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)
