"""What one step comes to, whatever its validator does."""

import itertools
import sys

import pytest
from support.steps import Asking, ListLog, a_step, raises, says, verdict_of

from hookgate.errors import CannotMeasure, Inconclusive, NoAnswer
from hookgate.model import Finding, HookStatus, Status
from hookgate.redaction import Secrets


def outcome_of(action, **more):
    """The outcome of a single step."""
    return verdict_of([a_step(action, **more)]).outcomes[0]


def printing(size):
    """A check that prints, hides the refusal, and says that all is well."""

    def check(_tools):
        try:
            for _ in range(size // 1024):
                print("x" * 1023)  # noqa: T201 - the point of the test
        except CannotMeasure:
            pass
        yield Finding(ok=True, summary="fine")

    return check


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        pytest.param(says(True), "passed", "seen", id="holds"),
        pytest.param(says(True, False), "failed", "seen", id="does-not-hold"),
        pytest.param(says(), "errored", "stated no finding", id="silent"),
        pytest.param(lambda _: None, "errored", "NoneType", id="returns-nothing"),
        pytest.param(
            lambda _: iter([True]), "errored", "instead of a Finding", id="bool"
        ),
        pytest.param(
            lambda _: iter([Finding(ok="false", summary="x")]),
            "errored",
            "instead of a Finding",
            id="truthy-text",
        ),
        pytest.param(
            lambda _: (Finding(ok=True, summary="x") for _ in itertools.count()),
            "errored",
            "more than 1000 findings",
            id="yields-forever",
        ),
        pytest.param(
            raises(ZeroDivisionError("zero")), "errored", "crashed", id="raises"
        ),
        pytest.param(raises(SystemExit(0)), "errored", "SystemExit", id="exits"),
        pytest.param(raises(CannotMeasure("no aws")), "errored", "no aws", id="cannot"),
        pytest.param(raises(NoAnswer("refused")), "failed", "refused", id="no-answer"),
        pytest.param(raises(Inconclusive("few")), "inconclusive", "few", id="no-data"),
        pytest.param(
            raises(Inconclusive("few"), Finding(ok=False, summary="bad")),
            "failed",
            "few",
            id="no-data-but-bad",
        ),
        pytest.param(printing(2**20), "errored", "more than 64 KiB", id="megabytes"),
    ],
)
def test_status(action, status, reason):
    """Each way a validator can behave has its one status, with a reason."""
    outcome = outcome_of(action)

    assert Status(status) is outcome.status
    assert reason in outcome.reason


def test_crash_names_place():
    """A crash names the file and line of the validator."""
    assert "steps.py:" in outcome_of(raises(ValueError("x"))).reason


def test_no_data_opted_out():
    """A step that may pass without data passes, and the verdict says so."""
    verdict = verdict_of([a_step(raises(Inconclusive("few")), on_no_data="pass")])

    assert HookStatus.SUCCEEDED is verdict.status
    assert verdict.optouts == ("step: passed without data (on_no_data: pass)",)


def test_prints_stay_off_standard_output(capsys):
    """What a validator prints reaches the step's log, never standard output."""
    log = ListLog()

    def check(_tools):
        print('{"_aws": "a forged metric"}')  # noqa: T201 - the point of the test
        sys.stderr.write("and this")
        yield Finding(ok=True, summary="fine")

    verdict_of([a_step(check)], log=log)

    assert ("", "") == capsys.readouterr()
    assert log.lines == ['{"_aws": "a forged metric"}\nand this']


def test_secret_masked():
    """A secret never comes out, be it in a summary, evidence, or a crash."""
    secrets = Secrets(lambda _name: "hunter2!")
    secrets.reveal("password")
    leaky = says(False, summary="got hunter2!", evidence={"deep": ["hunter2%21"]})
    steps = [a_step(leaky), a_step(raises(ValueError("hunter2!")), name="crash")]

    told = repr(verdict_of(steps, secrets=secrets).outcomes)

    assert "hunter2" not in told
    assert "«secret»" in told


def test_large_finding_is_cut():
    """A finding of megabytes is cut before it goes anywhere."""
    outcome = outcome_of(says(True, summary="s" * 10**6, evidence={"b": "e" * 10**6}))

    assert 20_000 > len(repr(outcome.findings))


def test_not_proven():
    """Without an identity the verdict says that the target was not proven."""
    verdict = verdict_of([a_step(says(True), kind=Asking)], proven=False)

    assert "the target was not proven" in verdict.optouts[0]


def test_proven():
    """With an identity there is nothing to say."""
    assert verdict_of([a_step(says(True), kind=Asking)]).optouts == ()


def test_not_blocking_named():
    """A step that does not block is named with what it came to."""
    steps = [a_step(says(True)), a_step(says(False), name="alarms", blocking=False)]
    verdict = verdict_of(steps)

    assert HookStatus.SUCCEEDED is verdict.status
    assert verdict.optouts == (
        "alarms: failed, but it does not block (blocking: false)",
    )


def test_finding_optout_named():
    """An option that let a finding hold is named by the verdict."""
    verdict = verdict_of([a_step(says(True, optout="unattached is allowed"))])

    assert verdict.optouts == ("step: unattached is allowed",)
