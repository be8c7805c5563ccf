"""A stage for the tests of a module; each uses names of its own."""

import pytest

from rehearsal.cloudwatch.settings import CloudWatchSettings
from rehearsal.settings import StageSettings
from rehearsal.stage import Stage

PACE = 1 / 600  # a minute passes in a tenth of a second


@pytest.fixture(scope="module")
def stage():
    """A stage with nothing on it."""
    settings = StageSettings(cloudwatch=CloudWatchSettings(pace=PACE))
    with Stage(images={}, settings=settings) as standing:
        yield standing


@pytest.fixture(scope="module")
def cloudwatch(stage):
    """A client of it."""
    return stage.client("cloudwatch")


@pytest.fixture
def name(request):
    """A name that no other test uses."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)
