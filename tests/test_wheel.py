"""The wheel, installed into empty environments beside PyPI's package ``validators``."""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from support.command import BRIEF, a_storefront
from support.template import ROOT

from hookgate_cli.main import EXTRAS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
UV = Path(sys.executable).with_name("uv")

VALIDATOR = '''"""A validator of the project."""

from collections.abc import Iterator

from hookgate import DeploymentContext, Finding, Tools, Validator


class Shop(Validator):
    """Is the shop open?"""

    open: bool = True

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        tools.log.debug("looked at the door")
        yield Finding(ok=self.open, summary=f"open: {self.open}")
'''
PLAN = "version: 1\nevents:\n  AfterInstall:\n    - {use: shop, with: {open: OPEN}}\n"
TYPING = """
from hookgate import Finding, Request, Tools

right: Finding = Finding(ok=True, summary="fine")
wrong: str = Finding(ok=True, summary="fine")


def check(tools: Tools) -> None:
    tools.http(Request(path=1))
"""


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program without a path to this repository's packages."""
    return subprocess.run(  # noqa: S603 - our own programs
        [str(each) for each in command],
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, as a release has it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    done = run(*command, cwd=ROOT)
    assert 0 == done.returncode, done.stderr
    (found,) = folder.glob("*.whl")
    return found


def environment(wheel: Path, folder: Path, extras: str) -> Path:
    """A new environment's programs, with the locked versions of dependencies."""
    done = run(UV, "venv", "--python", sys.executable, folder, cwd=ROOT)
    assert 0 == done.returncode, done.stderr
    done = run(
        *(UV, "pip", "install", "--python", folder, f"{wheel}{extras}", "validators"),
        *("--constraint", ROOT / "requirements.lock"),
        cwd=ROOT,
    )
    assert 0 == done.returncode, done.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def base(wheel, tmp_path_factory) -> Path:
    """An environment without extras."""
    return environment(wheel, tmp_path_factory.mktemp("base"), "")


@pytest.fixture(scope="module")
def full(wheel, tmp_path_factory) -> Path:
    """An environment with all extras."""
    folder = tmp_path_factory.mktemp("full")
    return environment(wheel, folder, "[protocols,rehearsal]")


@pytest.fixture
def project(tmp_path) -> Path:
    """A user's project: a validator, a good plan, a bad plan and a scenario."""
    folder = tmp_path.resolve()
    (folder / "validators").mkdir()
    (folder / "validators" / "shop.py").write_text(VALIDATOR, "utf-8")
    for name, is_open in (("good", "true"), ("bad", "false")):
        plan = PLAN.replace("OPEN", is_open)
        (folder / f"{name}.yaml").write_text(plan, "utf-8")
    return folder


def test_every_package_is_called_hookgate(base):
    """No other import package can be hidden by one of the wheel's, nor hide it."""
    script = (
        "import json; from importlib.metadata import files; "
        "print(json.dumps(sorted({f.parts[0] for f in files('hookgate')})))"
    )
    installed = json.loads(run(base / "python", "-c", script, cwd=base).stdout)

    packages = [each for each in installed if "." not in each]
    assert packages
    assert all(each.startswith("hookgate") for each in packages)


@pytest.mark.parametrize(
    ("command", "code", "expected"),
    [
        ("lint good.yaml", 0, "good.yaml"),
        ("explain good.yaml", 0, "shop"),
        ("validators", 0, "Is the shop open?"),
        ("validators http", 0, "status"),
        ("run AfterInstall --plan good.yaml --url http://127.0.0.1:1", 0, "open: True"),
        ("run AfterInstall --plan bad.yaml --url http://127.0.0.1:1", 1, "open: False"),
        ("rehearse", 2, "pip install 'hookgate[rehearsal]'"),
        ("serve", 2, "pip install 'hookgate[rehearsal]'"),
    ],
)
def test_base_commands(base, project, command, code, expected):
    """Without extras, plans are checked and run; a command names the extra it needs."""
    done = run(base / "hookgate", *command.split(), cwd=project)

    assert (code, True) == (done.returncode, expected in done.stdout + done.stderr), (
        done.stdout + done.stderr
    )


def test_debug_shows_the_log_of_validators(base, project):
    """With --debug, lines of every level are on standard error; without it, none."""
    command = "run AfterInstall --plan good.yaml --url http://127.0.0.1:1 --json -"
    shown = run(base / "hookgate", "--debug", *command.split(), cwd=project)
    quiet = run(base / "hookgate", *command.split(), cwd=project)

    assert "DEBUG hookgate.shop: looked at the door" in shown.stderr
    assert "looked at the door" not in quiet.stderr
    assert "Succeeded" == json.loads(shown.stdout)["status"]


def test_base_reads_scenarios(base, project):
    """A scenario is checked without the emulator's libraries."""
    scenario = a_storefront(project)
    assert 0 == run(base / "hookgate", "lint", scenario, cwd=project).returncode
    scenario.write_text(scenario.read_text("utf-8") + "\nno_such_key: 1\n", "utf-8")
    assert 2 == run(base / "hookgate", "lint", scenario, cwd=project).returncode


def test_protocols_are_an_extra(base, full, project):
    """A plan that needs the heavy libraries says which extra brings them."""
    plan = project / "grpc.yaml"
    plan.write_text("version: 1\nevents:\n  AfterAllowTestTraffic: [{use: grpc}]\n")

    refused = run(base / "hookgate", "lint", plan, cwd=project)
    assert 2 == refused.returncode
    assert "HG-SECOND-LAYER" in refused.stdout + refused.stderr
    assert "pip install 'hookgate[protocols]'" in refused.stdout + refused.stderr
    assert 0 == run(full / "hookgate", "lint", plan, cwd=project).returncode


def test_bundled_example_is_in_the_wheel(full, project):
    """Without a scenario, rehearse reads the bundled one, from any folder."""
    done = run(full / "hookgate", "rehearse", "--only", "no such", cwd=project)
    assert 2 == done.returncode
    assert "no deployment's name contains 'no such'" in done.stderr


@pytest.mark.parametrize(("plan", "code"), [("good", 0), ("bad", 1)])
def test_rehearsal_runs_the_projects_validator(full, project, plan, code):
    """The hooks of the wheel import validators of the folder that rehearse runs in.

    The rehearsal of the good plan runs with --debug.
    """
    change = {"plan": f"plan: plan.yaml->plan: {plan}.yaml"}
    scenario = a_storefront(project, **BRIEF, **change)
    done = run(
        *(full / "hookgate", *(["--debug"] if plan == "good" else []), "rehearse"),
        *(scenario, "--only", "a good version", "--json", "-"),
        cwd=project,
    )

    (deployment,) = json.loads(done.stdout)["deployments"]
    assert (plan == "good") == (deployment["status"] == "Succeeded")
    hook = next(
        each
        for each in deployment["lifecycle_events"]
        if each["name"] == "AfterInstall"
    )
    assert "shop" == hook["verdict"]["outcomes"][0]["use"]
    assert code == done.returncode
    debug = r"DEBUG hookgate\.hooks: d-\w+ AfterInstall shop: looked at the door\n"
    assert (plan == "good") == bool(re.search(debug, done.stderr)), done.stderr


def test_emulator_starts(full, project):
    """Serve starts the bundled scenario from any folder, and ends by Ctrl-C."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [full / "hookgate", "serve", "--port", "0"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any("Ready." in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert 0 == process.returncode


def test_types_of_the_public_api(full, project):
    """A type checker reads the types of the installed package, and refuses misuse."""
    (project / "good.py").write_text(VALIDATOR, "utf-8")
    (project / "bad.py").write_text(TYPING, "utf-8")
    mypy = (sys.executable, "-m", "mypy", "--strict", "--cache-dir", project / "cache")
    checked = (*mypy, "--python-executable", full / "python")

    right = run(*checked, "good.py", cwd=project)
    assert 0 == right.returncode, right.stdout + right.stderr
    wrong = run(*checked, "bad.py", cwd=project)
    lines = [each.split(":")[:2] for each in wrong.stdout.splitlines()[:-1]]
    assert [["bad.py", "5"], ["bad.py", "9"]] == lines, wrong.stdout


def test_modules_of_extras():
    """The modules by which a missing extra is named are those that it installs."""
    owners = packages_distributions()
    for extra, modules in EXTRAS.items():
        required = {
            each.partition(">")[0].lower()
            for each in PROJECT["optional-dependencies"][extra]
        }
        found = {
            name.lower().replace("_", "-")
            for module in modules
            for name in owners[module]
        }
        assert required <= found, extra
