"""``hookgate run`` against a real shop."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.command import STOREFRONT, hookgate

PLAN = """\
version: 1
target:
  identity: {header: X-App-Version, equals: "${green.image.tag}"}
events:
  AfterAllowTestTraffic:
    - {use: http, name: page, with: {path: PATH}}
"""


@pytest.fixture(scope="module", name="url")
def _url():
    """The storefront in version 1.2.3."""
    command = [sys.executable, STOREFRONT / "app.py", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--version", "1.2.3"], stdout=subprocess.PIPE, text=True
    ) as shop:
        yield shop.stdout.readline().split()[-1]
        shop.terminate()
        shop.communicate()


@pytest.fixture(name="plan")
def _plan(tmp_path):
    """Writes a plan whose one step asks for a path."""

    def write(path):
        file = tmp_path / "plan.yaml"
        file.write_text(PLAN.replace("PATH", path), "utf-8")
        return file

    return write


def _run(plan, url, *more, tag="1.2.3"):
    tagged = ("--set", f"green.image.tag={tag}")
    call = ("run", "AfterAllowTestTraffic", "--plan", plan, "--url", url)
    return hookgate(*call, *tagged, *more)


@pytest.mark.parametrize(
    ("path", "tag", "expected"),
    [
        pytest.param("/", "1.2.3", (0, "got 200"), id="good"),
        pytest.param("/none", "1.2.3", (1, "got 404"), id="bad"),
        pytest.param("/", "9", (1, "answered by '1.2.3'"), id="not the new version"),
    ],
)
def test_answer_decides(url, plan, path, tag, expected):
    """The good passes with 0, the bad and the wrong version fail with 1."""
    done = _run(plan(path), url, tag=tag)
    code, message = expected
    assert (code, True) == (done.returncode, message in done.stdout), done


def test_given_secret_is_masked(url, plan, monkeypatch):
    """A secret from the environment is in no output, wherever the plan puts it."""
    file = plan("'/?key=${secret.key}', expect: [{body: {equals: '${secret.key}'}}]")
    records = (file.with_name("run.json"), file.with_name("run.xml"))
    written = ("--json", records[0], "--junit", records[1])
    monkeypatch.setenv("SHOP_KEY", "t0p-secret")
    done = _run(file, url, "--secret-env", "key=SHOP_KEY", *written)
    output = done.stdout + done.stderr + "".join(each.read_text() for each in records)
    assert (1, True, False) == (
        done.returncode,
        "«secret»" in output,
        "t0p-secret" in output,
    ), output


@pytest.mark.parametrize(
    ("option", "message"),
    [
        pytest.param("--secret-env=key=NO_SUCH_KEY", "NO_SUCH_KEY", id="not set"),
        pytest.param("--set=secret.key=t0p-secret", "--secret-env key=", id="argument"),
    ],
)
def test_secret_that_is_not_in_the_environment(url, plan, option, message):
    """A secret comes from an environment variable that is set, or nothing runs."""
    done = _run(plan("'/?key=${secret.key}'"), url, option)
    assert (2, True, False) == (
        done.returncode,
        message in done.stderr,
        "t0p-secret" in done.stdout + done.stderr,
    ), done


def test_step_that_asks_aws_is_inconclusive(url):
    """The storefront's plan neither passes nor fails; the output says what to run."""
    done = _run(STOREFRONT / "plan.yaml", url)
    assert (3, True) == (
        done.returncode,
        "hint: these steps need AWS: only green" in done.stdout,
    )


def test_json_leaves_standard_output_pure(url, plan):
    """With ``--json -`` the record has standard output to itself."""
    done = _run(plan("/"), url, "--json", "-")
    record = json.loads(done.stdout)
    assert ("hookgate.verdict/1", "Succeeded", None, ["passed"], True) == (
        record["schema"],
        record["status"],
        record["deployment"],
        [each["status"] for each in record["outcomes"]],
        "Succeeded" in done.stderr,
    )


def test_plan_is_named(url, plan):
    """Record and terminal name the plan's file and its SHA-256; it has no version."""
    file = plan("/")
    done = _run(file, url, "--json", "-")
    sha256 = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    record = json.loads(done.stdout)
    assert {"source": str(file), "version": None, "sha256": sha256} == record["plan"]
    assert sha256 in done.stderr


def test_junit_leaves_standard_output_pure(url, plan):
    """With ``--junit -`` the document is all of standard output."""
    done = _run(plan("/none"), url, "--junit", "-")
    assert 1 == len(ET.fromstring(done.stdout).findall(".//failure"))  # noqa: S314 - our own text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--url", "localhost"], "is not a valid URL", id="url"),
        pytest.param(["--timeout", "5"], "is not a duration", id="timeout"),
        pytest.param(["--timeout", "1s"], "may take 11 s", id="too little time"),
        pytest.param(["--set", "x"], "is not NAME=VALUE", id="set"),
        pytest.param(["--json", "-", "--junit", "-"], "only one record", id="dash"),
        pytest.param(["--json", "/none/x"], "No such file or directory", id="folder"),
        pytest.param(["--plan", "/none"], "does not exist", id="no plan"),
    ],
)
def test_wrong_usage_is_reported(plan, arguments, message):
    """Wrong usage is reported, with exit code 2, before any request."""
    done = _run(plan("/"), "http://127.0.0.1:9", *arguments)
    assert (2, True) == (done.returncode, message in done.stderr), done


def test_wrong_plan_names_its_place(plan):
    """A wrong plan is reported with file, line and column."""
    file = plan("cart")
    done = _run(file, "http://127.0.0.1:9")
    assert 2 == done.returncode
    assert done.stderr.startswith(f"{file}:6:")


def test_missing_value_says_how_to_give_it(plan):
    """A plan that needs the new version's tag asks for it."""
    file = plan("/")
    call = ("run", "AfterAllowTestTraffic", "--plan", file, "--url", "http://[::1]:9")
    done = hookgate(*call)
    assert 2 == done.returncode
    assert done.stderr.startswith(f"{file}:2:1: target: ${{green.image.tag}}")
    assert "--set" in done.stderr


def test_event_without_steps_is_refused(plan):
    """An event for which the plan says nothing is no pass."""
    call = ("run", "AfterInstall", "--plan", plan("/"), "--url", "http://[::1]:9")
    done = hookgate(*call)
    assert (2, True) == (done.returncode, "no steps for AfterInstall" in done.stderr)


CHAIN = """\
version: 1
target:
  identity: {header: X-App-Version, equals: "${green.image.tag}"}
events:
  AfterAllowTestTraffic:
    - {use: http, name: page, with: {path: /}}
    - {use: target_health, name: health, with: {healthy: 100%}}
    - {use: http, name: cart, with: {path: /cart}, needs: [page]}
    - {use: http, name: search, with: {path: /none}, needs: [health]}
"""


@pytest.mark.parametrize(
    ("options", "code", "outcomes"),
    [
        pytest.param(
            ["--skip", "health", "--skip", "search"],
            0,
            {"page": "passed", "cart": "passed", "health": "skip", "search": "skip"},
            id="what needs AWS, and its dependent",
        ),
        pytest.param(
            ["--skip", "health"],
            3,
            {"page": "passed", "cart": "passed", "health": "skip", "search": "needs"},
            id="a dependent still blocks",
        ),
        pytest.param(
            ["--only", "cart"],
            0,
            {"page": "passed", "cart": "passed", "health": "only", "search": "only"},
            id="one step and what it needs",
        ),
        pytest.param(
            ["--only", "cart", "--skip", "page"],
            3,
            {"page": "skip", "cart": "needs", "health": "only", "search": "only"},
            id="a skipped need",
        ),
        pytest.param(
            [
                each
                for name in ("page", "health", "cart", "search")
                for each in ("--skip", name)
            ],
            3,
            dict.fromkeys(("page", "health", "cart", "search"), "skip"),
            id="everything",
        ),
    ],
)
def test_steps_are_skipped(tmp_path, url, options, code, outcomes):
    """Each step that an option leaves out is a waiver; what needs it blocks."""
    reasons = {
        "skip": ("skipped", False, "HG-STEP-DESELECTED"),
        "only": ("skipped", False, "HG-STEP-DESELECTED"),
        "needs": ("skipped", True, "HG-STEP-SKIPPED"),
        "passed": ("passed", True, ""),
    }
    file = tmp_path / "plan.yaml"
    file.write_text(CHAIN, "utf-8")
    done = _run(file, url, *options, "--json", "-")
    record = json.loads(done.stdout)
    status = "Succeeded" if code == 0 else "Failed"
    assert (code, status) == (done.returncode, record["status"]), done
    for each in record["outcomes"]:
        got = each["status"], each["blocking"], each["code"]
        assert reasons[outcomes[each["name"]]] == got
    left_out = {n: kind for n, kind in outcomes.items() if kind in {"skip", "only"}}
    assert sorted(
        f"{n}: skipped by --{kind}" for n, kind in left_out.items()
    ) == sorted(each for each in record["optouts"] if "skipped" in each)
    ran = any(kind == "passed" for kind in outcomes.values())
    assert ran is ("no blocking step ran" not in done.stderr)


@pytest.mark.parametrize("option", ["--only", "--skip"])
def test_unknown_step_is_refused(plan, option):
    """A name that no step has is invalid input, with a suggestion."""
    done = _run(plan("/"), "http://127.0.0.1:9", option, "pgae")
    assert 2 == done.returncode
    assert f"Invalid value for {option}: no step 'pgae'; did you mean 'page'?" in (
        done.stderr
    )


def test_skipped_step_takes_no_time(plan):
    """The timeout has to suffice for the steps that run, not for all."""
    file = plan("/, within: 10m")
    done = _run(file, "http://127.0.0.1:9", "--skip", "page", "--timeout", "1s")
    assert (3, "") == (done.returncode, done.stderr)
