"""The shipped last report, with the layer and without."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.codedeploy_edge import codedeploy_edge

ROOT = Path(__file__).parents[2]
RECORD = (ROOT / "events" / "last_report.json").read_text()
INVOKE = """
import json, sys
from hooks.last_report import handler
print(json.dumps({"answer": handler(json.loads(sys.argv[1]), None)}))
"""


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param("", "Task timed out", id="with-the-layer"),
        pytest.param(
            "raise OSError('wrong ELF class')", "wrong ELF class", id="broken"
        ),
        pytest.param("import not_there", "not_there", id="incomplete"),
    ],
)
def test_reported(tmp_path, broken, reason):
    """A hook's failure is reported, even if the layer is what failed."""
    path = [ROOT, ROOT / "layer"]
    if broken:
        (tmp_path / "hookgate.py").write_text(broken)
        path = [tmp_path, ROOT]
    with codedeploy_edge() as edge:
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-W", "error", "-c", INVOKE, RECORD],
            cwd=tmp_path,
            env={**edge.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
            capture_output=True,
            text=True,
            check=False,
        )
        call = edge.calls.get_nowait()

    answer = json.loads(done.stdout.splitlines()[-1])["answer"]
    assert ("", "Failed", "Failed") == (done.stderr, call["status"], answer["status"])
    assert reason in json.dumps(answer)
