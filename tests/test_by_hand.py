"""The documented commands build a whole setting from nothing, and deploy to it."""

import re
import shutil
import signal
import subprocess
from contextlib import contextmanager

import pytest
from support.aws_cli import AWS, MISSING, ROOT, environment, exported
from support.command import running
from support.emulator_setup import free_port

PAGE = (ROOT / "docs" / "rehearsal.md").read_text(encoding="utf-8")
SECTION = re.search(r"^## By hand.*?(?=^## )", PAGE, re.DOTALL | re.MULTILINE)
BLOCKS = re.findall(r"```bash\n(.*?)```", SECTION[0] if SECTION else "", re.DOTALL)
PORTS = ("PRODUCTION", "TEST", "HTTPS")

TOOLS = [tool for tool in ("bash", "curl", "openssl") if not shutil.which(tool)]

pytestmark = [
    pytest.mark.skipif(not AWS.exists(), reason=MISSING),
    pytest.mark.skipif(bool(TOOLS), reason=f"not installed: {', '.join(TOOLS)}"),
    pytest.mark.timeout(300),  # `aws ecs deploy` alone looks every 15 seconds
]


@contextmanager
def empty_emulator(*options):
    """The variables that ``hookgate serve --empty`` prints, while it stands."""
    with running("serve", "--empty", "--port", "0", *options) as process:
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if "SECRET" in line:
                break
        yield lines
        process.send_signal(signal.SIGTERM)
        process.communicate()


def test_everything_is_built_from_nothing(tmp_path):
    """Every block of the page works as it stands, and the new version is live."""
    assert 5 == len(BLOCKS)
    with empty_emulator() as lines:
        ports = {name: str(free_port()) for name in PORTS}
        done = subprocess.run(  # noqa: S603 - the blocks of our own page
            ["/bin/bash", "-euo", "pipefail", "-c", "\n".join(BLOCKS)],
            cwd=ROOT,
            env=environment(TMPDIR=str(tmp_path), **ports, **exported(lines)),
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "Successfully deployed" in done.stdout
    assert "X-App-Version: 1.1.0" in done.stdout
    assert done.stdout.endswith('{"status": "ok"}')
