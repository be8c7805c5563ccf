"""``hookgate rehearse``: whole deployments by the real command."""

import hashlib
import json
import re
import signal
from xml.etree import ElementTree as ET

import psutil
import pytest
from support.command import (
    BRIEF,
    BRIEF_PLAN,
    STOREFRONT,
    a_storefront,
    hookgate,
    in_terminal,
    left_behind,
    running,
)
from support.emulator_setup import wait_for
from support.rehearsal_record import EVENTS

from hookgate_rehearsal.clients import Clients
from hookgate_rehearsal.emulator import EmulatorSettings
from hookgate_rehearsal.endpoint.access import AccessKey

URL = re.compile(r"http://127\.0\.0\.1:\d+")


@pytest.fixture(scope="module", name="rehearsed")
def _rehearsed(tmp_path_factory):
    """The bundled scenario, run once, with every record it can write."""
    folder = tmp_path_factory.mktemp("storefront").resolve()
    scenario = a_storefront(folder)
    out = tmp_path_factory.mktemp("out")
    files = {kind: out / f"record.{kind}" for kind in ("json", "junit", "html")}
    options = [each for kind, file in files.items() for each in (f"--{kind}", file)]
    done = hookgate("rehearse", scenario, *options)
    endpoint = URL.search(done.stdout)
    left = left_behind(folder) + (left_behind(endpoint[0]) if endpoint else [])
    text = {kind: file.read_text("utf-8") for kind, file in files.items()}
    return {**text, "done": done, "left": left, "record": json.loads(text["json"])}


@pytest.fixture(name="good")
def _good(rehearsed):
    """The record of the version that goes live."""
    return rehearsed["record"]["deployments"][0]


@pytest.fixture(name="bad")
def _bad(rehearsed):
    """The record of the version that is rolled back."""
    return rehearsed["record"]["deployments"][1]


def test_both_deployments_end_as_expected(rehearsed):
    """The command exits with 0 and says so."""
    done = rehearsed["done"]
    assert (0, "") == (done.returncode, done.stderr)
    assert "2 of 2 ended as expected" in done.stdout


def test_nothing_is_left(rehearsed):
    """No task and no function outlives the command."""
    assert [] == rehearsed["left"]


def test_record_says_its_schema(rehearsed):
    """The record names its own shape and version."""
    assert "hookgate.rehearsal/1" == rehearsed["record"]["schema"]


def test_good_version_goes_live(good):
    """Every event Succeeds, and there is neither error nor rollback."""
    assert ("Succeeded", None, None, True, []) == (
        good["status"],
        good["error"],
        good["rollback"],
        good["as_expected"],
        good["surprises"],
    )
    events = [(each["name"], each["status"]) for each in good["lifecycle_events"]]
    assert [(name, "Succeeded") for name in EVENTS] == events


def test_bad_version_is_rolled_back(bad):
    """The hook at the test listener stops it, and the rollback Succeeds."""
    assert ("Failed", "HOOK_EXECUTION_FAILURE", "Succeeded", True) == (
        bad["status"],
        bad["error"]["code"],
        bad["rollback"]["status"],
        bad["as_expected"],
    )
    expected = ["Succeeded"] * 4 + ["Failed"] + ["Skipped"] * 3
    assert expected == [each["status"] for each in bad["lifecycle_events"]]


def test_events_with_steps_have_their_verdict(good):
    """Each event the plan has steps for holds the hook's verdict, others none."""
    schemas = {
        event["name"]: event["verdict"] and event["verdict"]["schema"]
        for event in good["lifecycle_events"]
    }
    hooked = {"AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic"}
    schema = "hookgate.verdict/1"
    assert {name: schema if name in hooked else None for name in EVENTS} == schemas


def test_verdicts_name_the_plan(good):
    """Every verdict names the parameter, its version and the plan's SHA-256."""
    plan = {
        "source": "ssm:/hookgate/plans/storefront/production",
        "version": "1",
        "sha256": hashlib.sha256((STOREFRONT / "plan.yaml").read_bytes()).hexdigest(),
    }
    verdicts = [e["verdict"] for e in good["lifecycle_events"] if e["verdict"]]
    assert [plan] * 3 == [each["plan"] for each in verdicts]


def test_verdict_tells_the_reason(bad):
    """The step that failed reports what it expected and what it got."""
    verdict = bad["lifecycle_events"][4]["verdict"]
    failed = {
        e["name"]: e["reason"] for e in verdict["outcomes"] if e["status"] == "failed"
    }
    assert ["price of sencha"] == list(failed)
    assert failed["price of sencha"].endswith("expected 7.5, got 750")


def test_no_production_request_fails(good, bad):
    """No request of the production traffic fails, through a shift and a rollback."""
    both = [each["production_traffic"] for each in (good, bad)]
    assert [(0, [], 0)] * 2 == [
        (t["failed"], t["failures"], t["dropped"]) for t in both
    ]


def test_counts_of_requests_agree(good, bad):
    """What the client counts is what the listener's access log counts, exactly."""
    both = [each["production_traffic"] for each in (good, bad)]
    assert [t["requests"] for t in both] == [sum(t["served_by"].values()) for t in both]


def test_bad_version_serves_no_production_request(good, bad):
    """Both versions serve in a good deployment, the old one alone in a bad one."""
    served = [list(each["production_traffic"]["served_by"]) for each in (good, bad)]
    assert [["storefront:1", "storefront:2"], ["storefront:2"]] == served


def test_events_follow_each_other(good):
    """Each event starts when it starts and takes the time it says."""
    starts = [each["started_at"] for each in good["lifecycle_events"]]
    assert sorted(starts) == starts
    assert all(each["duration_ms"] >= 0 for each in good["lifecycle_events"])


def test_junit_has_a_case_for_each_deployment(rehearsed):
    """CI sees two deployments and no failure."""
    document = ET.fromstring(rehearsed["junit"])  # noqa: S314 - our own text
    names = [each.get("name") for each in document.iter("testcase")]
    assert ["a good version", "a version with wrong prices"] == names
    assert [] == document.findall(".//failure")


def test_page_is_complete(rehearsed):
    """The page is there, and whole."""
    assert rehearsed["html"].startswith("<!doctype html>")
    assert "2 of 2 ended as expected" in rehearsed["html"]


def test_unexpected_end_fails(tmp_path):
    """A deployment that does not end as its scenario says is exit code 1, and why."""
    scenario = a_storefront(
        tmp_path,
        a="expect: {status: Succeeded}->expect: {status: Failed, event: Install}",
        **BRIEF,
    )
    (tmp_path / "plan.yaml").write_text(BRIEF_PLAN)
    done = hookgate("rehearse", scenario, "--only", "good", "--json", "-")
    (deployment,) = json.loads(done.stdout)["deployments"]
    assert (1, False) == (done.returncode, deployment["as_expected"])
    assert [
        "expected status Failed, got Succeeded",
        "expected failed event Install, got none",
    ] == deployment["surprises"]
    assert "0 of 1 ended as expected" in done.stderr


SECRET_PLAN = """
version: 1
events:
  AfterAllowTestTraffic:
    - use: http
      name: the secret is served
      with:
        path: /search?q=${secret.shop/word}
        expect: [{body: {contains: "${secret.shop/word}"}}]
    - use: http
      name: the secret is evidence
      blocking: false
      with:
        path: /search?q=${secret.literal}
        expect: [{body: {equals: "${secret.literal}"}}]
"""
SECRETS = "secrets: {shop/word: {env: SHOP_WORD}, literal: an0ther-secret}"


def test_secrets_are_rehearsed(tmp_path, monkeypatch):
    """The functions read a scenario's secrets from AWS, and no output contains one."""
    monkeypatch.setenv("SHOP_WORD", "t0p-secret")
    scenario = a_storefront(tmp_path, a=f"traffic: {{->{SECRETS}\ntraffic: {{", **BRIEF)
    (tmp_path / "plan.yaml").write_text(SECRET_PLAN)
    files = [tmp_path / f"record.{kind}" for kind in ("json", "junit", "html")]
    kinds = ("--json", "--junit", "--html")
    options = [each for pair in zip(kinds, files, strict=True) for each in pair]
    done = hookgate("rehearse", scenario, "--only", "good", *options)
    outputs = [done.stdout, done.stderr, *(each.read_text() for each in files)]
    events = json.loads(outputs[2])["deployments"][0]["lifecycle_events"]
    outcomes = next(each["verdict"] for each in events if each["verdict"])["outcomes"]
    assert (0, ["passed", "failed"]) == (
        done.returncode,
        [each["status"] for each in outcomes],
    ), outputs
    assert "«secret»" in str(json.loads(outputs[2]))
    values = ("t0p-secret", "an0ther-secret")
    assert [] == [each for each in outputs if any(value in each for value in values)]


@pytest.mark.parametrize("command", ["rehearse", "serve"])
def test_secret_whose_variable_is_not_set(tmp_path, monkeypatch, command):
    """Nothing runs without the value of a secret; the variable is named."""
    monkeypatch.delenv("SHOP_WORD", raising=False)
    scenario = a_storefront(tmp_path, a=f"traffic: {{->{SECRETS}\ntraffic: {{")
    done = hookgate(command, scenario)
    assert (2, True) == (
        done.returncode,
        "SHOP_WORD is not set" in done.stderr and "HG-SECRET-VARIABLE" in done.stderr,
    ), done


def test_start_version_that_ends_by_itself_is_inconclusive(tmp_path):
    """Without a version to start from there is no result, and the reason is printed."""
    scenario = a_storefront(
        tmp_path,
        a="{SHOP_VERSION: 1.0.0}->{SHOP_VERSION: 1.0.0, SHOP_FAULT: crash}",
    )
    done = hookgate("rehearse", scenario)
    assert 3 == done.returncode
    assert f"{scenario}: the first version, storefront:1.0.0," in done.stderr
    assert "PRICE_LIST_URL is not set" in done.stderr


def test_program_that_does_not_exist_is_reported(tmp_path):
    """An image whose command is none says which program is missing."""
    scenario = a_storefront(tmp_path, a="command: [python, app.py]->command: [nosuch]")
    done = hookgate("rehearse", scenario)
    assert (3, True) == (done.returncode, "cannot run nosuch" in done.stderr)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param("speed: 30->speed: 0", "20:8: speed: expected", id="value"),
        pytest.param("plan: plan->plan: none", "19:7: there is no file", id="plan"),
        pytest.param("rate: 50/s->rate: 50", "21:17: traffic.rate: 50 has", id="unit"),
    ],
)
def test_wrong_scenario_names_its_place(tmp_path, change, message):
    """A wrong scenario is reported with file, line and column, before the start."""
    scenario = a_storefront(tmp_path, a=change)
    done = hookgate("rehearse", scenario)
    assert 2 == done.returncode
    assert done.stderr.startswith(f"{scenario}:{message}")


def test_refusal_of_an_api_is_reported(tmp_path):
    """What AWS would refuse is wrong input, in the API's words."""
    change = "rollback_on:->configuration: CodeDeployDefault.None\n  rollback_on:"
    done = hookgate("rehearse", a_storefront(tmp_path, a=change))
    assert 2 == done.returncode
    assert "CreateDeploymentGroup failed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["/none.yaml"], "does not exist", id="no such file"),
        pytest.param(["--html", "/none/x"], "No such file", id="no such folder"),
        pytest.param(["--html", "x" * 300], "File name too long", id="no file"),
        pytest.param(["--only", "none"], "no deployment's name contains", id="none"),
        pytest.param(["--json", "-", "--html", "-"], "only one record", id="dash"),
    ],
)
def test_wrong_usage_is_reported(arguments, message):
    """Wrong usage is reported, with exit code 2."""
    done = hookgate("rehearse", *arguments)
    assert (2, True) == (done.returncode, message in done.stderr)


def _key_of_functions(pid):
    """The access key of the functions of an emulator, which runs in a process."""
    environments = [p.environ() for p in psutil.Process(pid).children(recursive=True)]
    name = "AWS_ACCESS_KEY_ID"
    return next(AccessKey(each[name]) for each in environments if name in each)


def _hook_runs(endpoint, key):
    """Whether a deployment has reached the hook of AfterInstall."""
    codedeploy = Clients(endpoint, EmulatorSettings().region, key).client("codedeploy")
    for id_ in codedeploy.list_deployments()["deployments"]:
        target = codedeploy.get_deployment_target(
            deploymentId=id_,
            targetId=codedeploy.list_deployment_targets(deploymentId=id_)["targetIds"][
                0
            ],
        )
        events = target["deploymentTarget"]["ecsTarget"]["lifecycleEvents"]
        status = {each["lifecycleEventName"]: each["status"] for each in events}
        return status["AfterInstall"] != "Pending"
    return False


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_interrupt_keeps_what_ran(tmp_path, sent):
    """Ctrl-C and SIGTERM keep what ran, print that there is no verdict and exit 3."""
    folder = tmp_path.resolve()
    scenario = a_storefront(folder)
    files = {kind: tmp_path / f"record.{kind}" for kind in ("json", "junit", "html")}
    options = [each for kind, file in files.items() for each in (f"--{kind}", file)]
    with running("rehearse", scenario, *options) as process:
        lines = iter(process.stdout.readline, "")
        endpoint = next(URL.search(line)[0] for line in lines if URL.search(line))
        next(line for line in lines if "1/2 a good version" in line)
        key = _key_of_functions(process.pid)
        wait_for(lambda: _hook_runs(endpoint, key))
        process.send_signal(sent)
        printed, error = process.communicate()
    assert (3, "Interrupted; no verdict\n") == (process.returncode, error)
    assert "InProgress, interrupted" in printed
    assert "0 of 1 ended as expected" in printed
    record = json.loads(files["json"].read_text("utf-8"))
    (deployment,) = record["deployments"]
    assert (True, True, False, ["a version with wrong prices"]) == (
        record["interrupted"],
        deployment["interrupted"],
        deployment["as_expected"],
        record["not_run"],
    )
    assert EVENTS[0] == deployment["lifecycle_events"][0]["name"]
    assert "Interrupted; no verdict" in files["html"].read_text("utf-8")
    document = ET.parse(files["junit"])  # noqa: S314 - our own text
    assert 3 == len(document.findall(".//error"))
    assert [] == left_behind(folder) + left_behind(endpoint)


def test_interrupt_before_the_first_deployment(tmp_path):
    """An interrupt during setup writes a record in which nothing ran."""
    file = tmp_path / "record.json"
    scenario = a_storefront(tmp_path.resolve())
    with running("rehearse", scenario, "--json", file) as process:
        # The tasks of the first version start, and no deployment has been created.
        wait_for(lambda: left_behind(tmp_path.resolve()))
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    record = json.loads(file.read_text("utf-8"))
    names = ["a good version", "a version with wrong prices"]
    assert (3, "Interrupted; no verdict\n", True, [], names) == (
        process.returncode,
        error,
        record["interrupted"],
        record["deployments"],
        record["not_run"],
    )


def test_interrupt_leaves_the_view_on_the_terminal(tmp_path):
    """After Ctrl-C in a terminal, the events that ran are still on the screen."""
    scenario = a_storefront(tmp_path.resolve())
    with in_terminal("rehearse", scenario) as terminal:
        terminal.wait_for("Succeeded Install|✓ Install")
        terminal.type("\x03")
        code = terminal.wait()
    screen = "\n".join(terminal.screen())
    assert 3 == code
    assert re.search(r"1/2 a good version +storefront:1.1.0 +d-\w+ +InProgress", screen)
    assert "✓ Install" in screen
    assert "InProgress, interrupted" in screen
    assert screen.rstrip().endswith("Interrupted; no verdict")
    assert [] == left_behind(tmp_path.resolve())
