"""A short run of ``make fuzz``: every reader refuses wrong input as it documents."""

from importlib.util import find_spec

import pytest

from tools.fuzz import READERS, run

pytestmark = [
    pytest.mark.skipif(
        find_spec("atheris") is None, reason="atheris has no wheel for this machine"
    ),
    pytest.mark.timeout(300),
]
#: Generous, since tests run at the same time; ``make fuzz`` allows one second.
LIMITS = {"timeout": 60, "memory": 600}


@pytest.mark.parametrize("name", READERS)
def test_reader_refuses_wrong_input(name, tmp_path):
    """Only documented errors, in bounded time and memory."""
    code, output = run(name, runs=1500, failures=tmp_path, **LIMITS)
    assert 0 == code, output[-3000:]
    assert "stat::number_of_executed_units: 1500" in output


def test_a_defect_is_found(tmp_path):
    """An undocumented exception fails the run, and its input is stored."""
    code, output = run("broken", runs=10, failures=tmp_path, **LIMITS)
    assert (True, True) == (code != 0, "RuntimeError: a defect" in output)
    (file,) = tmp_path.iterdir()
    assert file.read_bytes()
