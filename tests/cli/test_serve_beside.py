"""``hookgate serve``: many emulators on one machine."""

import contextlib
import re
import urllib.request

import pytest
from support.command import a_storefront, left_behind, running

EMULATORS = 10
URL = re.compile(r"http://127\.0\.0\.1:(\d+)")


def _ports(process):
    """The ports of production, test and endpoint, once they are printed."""
    found = []
    for line in process.stdout:
        found += URL.findall(line)
        if len(found) == 3:
            return found
    raise AssertionError(process.stderr.read())


@pytest.mark.timeout(600)
def test_ten_emulators_stand_side_by_side(tmp_path):
    """All start at once, each with its own ports and its own production traffic."""
    folder = tmp_path.resolve()
    scenario = a_storefront(folder, a="desired_count: 2->desired_count: 1")
    with contextlib.ExitStack() as stack:
        emulators = [
            stack.enter_context(running("serve", scenario, "--port", 0))
            for _ in range(EMULATORS)
        ]
        ports = [_ports(emulator) for emulator in emulators]
        answers = [
            urllib.request.urlopen(f"http://127.0.0.1:{production}/").status
            for production, _, _ in ports
        ]
        for emulator in emulators:
            emulator.terminate()
        codes = [emulator.wait() for emulator in emulators]

    assert len({port for each in ports for port in each}) == 3 * EMULATORS
    assert [200] * EMULATORS == answers
    assert [0] * EMULATORS == codes
    assert [] == left_behind(folder)
