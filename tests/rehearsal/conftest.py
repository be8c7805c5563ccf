"""What tests of several parts of the emulator need."""

from __future__ import annotations

import pytest

from hookgate_rehearsal.data_plane.plane import DataPlane


@pytest.fixture(name="plane")
def _plane():
    with DataPlane() as plane:
        yield plane
