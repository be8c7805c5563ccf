"""The outcome of one step, whatever its validator does."""

import itertools
import json
import sys
import threading

import pytest
from support.steps import Asking, Gate, ListLog, a_step, raises, says, verdict_of

from hookgate.assertions.queries import shown
from hookgate.codes import Code
from hookgate.errors import CannotMeasure, Inconclusive, NoAnswer, NoData
from hookgate.model import Finding, HookStatus, Metric, Status
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


def logging(size, line):
    """A check that logs, hides the refusal, and says that all is well."""

    def check(tools):
        try:
            for _ in range(size):
                tools.log.info(line)
        except CannotMeasure:
            pass
        yield Finding(ok=True, summary="fine")

    return check


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        pytest.param(says(True), "passed", "seen", id="satisfied"),
        pytest.param(says(True, False), "failed", "seen", id="not-satisfied"),
        pytest.param(says(), "errored", "no findings", id="silent"),
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
        pytest.param(logging(9, "x" * 7000), "passed", "fine", id="logs"),
        pytest.param(
            logging(10, "x" * 7000), "errored", "logged more than 64", id="logs-much"
        ),
        pytest.param(
            logging(10**9, ""), "errored", "logged more than 64", id="logs-empty-lines"
        ),
    ],
)
def test_status(action, status, reason):
    """Each way a validator can behave has its one status, with a reason."""
    outcome = outcome_of(action)

    assert Status(status) is outcome.status
    assert reason in outcome.reason


class CodeOfAnotherType(CannotMeasure):
    """An exception whose code is not text."""

    code = 7


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(says(True), "", id="passed"),
        pytest.param(says(False), "TOY", id="without-code"),
        pytest.param(says(True, False, code="OWN"), "OWN", id="own-code"),
        pytest.param(raises(NoData("none")), Code.NO_DATA, id="default-of-class"),
        pytest.param(raises(NoAnswer("x", code="OWN")), "OWN", id="no-answer"),
        pytest.param(raises(CannotMeasure("x", code="OWN")), "OWN", id="cannot"),
        pytest.param(raises(CodeOfAnotherType()), Code.ERROR, id="not-text"),
        pytest.param(raises(ValueError("x")), Code.STEP_CRASHED, id="crash"),
        pytest.param(lambda _: iter([7]), Code.DEFECT, id="not-a-finding"),
        pytest.param(lambda _: iter(()), Code.NO_FINDINGS, id="no-findings"),
        pytest.param(says(False, code=7), Code.DEFECT, id="number-as-code"),
        pytest.param(printing(2**20), Code.STEP_OUTPUT, id="output"),
    ],
)
def test_code(action, code):
    """An outcome has the code of its reason, and a finding without one its step's."""
    outcome = outcome_of(action)

    assert code == outcome.code
    assert all(each.code for each in outcome.findings)


class Unspeakable(str):
    """A text, also an object, whose every word raises."""

    __slots__ = ()

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class Mute(Inconclusive):
    """An exception whose message raises."""

    def __str__(self):
        raise RuntimeError("no text")


class MuteAnswer(NoAnswer):
    """The same as an answer that did not come."""

    __str__ = Mute.__str__


CIRCLE: dict[str, object] = {}
CIRCLE["self"] = [CIRCLE, CIRCLE]


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        pytest.param(says(True, summary=None), "errored", "are text", id="no-summary"),
        pytest.param(says(True, waiver=7), "errored", "are text", id="waiver"),
        pytest.param(says(True, evidence=None), "errored", "a mapping", id="none"),
        pytest.param(says(True, evidence=[1]), "errored", "a mapping", id="list"),
        pytest.param(says(True, evidence={1: 2}), "errored", "text keys", id="key"),
        pytest.param(
            says(True, evidence={"a": Mute()}), "errored", "no text", id="str"
        ),
        pytest.param(
            lambda _: iter([Unspeakable("x")]), "errored", "no text", id="repr"
        ),
        pytest.param(says(True, evidence=CIRCLE), "passed", "seen", id="circle"),
        pytest.param(
            says(True, evidence={"a": float("nan")}), "passed", "seen", id="nan"
        ),
        pytest.param(
            says(True, summary=Unspeakable("x")), "passed", "x", id="kind-of-text"
        ),
        pytest.param(says(True, summary="\ud800"), "passed", "\\ud800", id="utf-8"),
        pytest.param(raises(Mute()), "inconclusive", "cannot be read", id="mute"),
        pytest.param(
            raises(MuteAnswer()), "failed", "cannot be read", id="mute-answer"
        ),
    ],
)
def test_foreign_values(action, status, reason):
    """Whatever a validator states becomes plain values, or an errored step."""
    outcome = outcome_of(action)

    assert Status(status) is outcome.status
    assert reason in outcome.reason
    assert json.dumps([each.evidence for each in outcome.findings], allow_nan=False)


def test_value_that_hangs():
    """A value whose text never comes costs its own step, not the verdict."""
    gate = threading.Event()

    class Endless:
        def __str__(self):
            gate.wait(60)
            return "late"

    stated = Finding(ok=True, summary="before")
    stuck = Finding(ok=True, summary="stuck", evidence={"a": Endless()})
    outcome = outcome_of(lambda _: iter([stated, stuck]), timeout=0.05)
    gate.set()

    assert Status.ERRORED is outcome.status
    assert ["before"] == [each.summary for each in outcome.findings]


def test_crash_names_place():
    """A crash names the file and line of the validator."""
    assert "steps.py:" in outcome_of(raises(ValueError("x"))).reason


def test_no_data_opted_out():
    """A step that may pass without data passes, and the verdict says so."""
    verdict = verdict_of([a_step(raises(NoData("few")), on_no_data="pass")])

    assert HookStatus.SUCCEEDED is verdict.status
    assert verdict.waivers == ("step: passed without data (on_no_data: pass)",)


def test_no_data_opted_out_with_a_long_reason():
    """The opt-out is named however long the reason is."""
    verdict = verdict_of([a_step(raises(NoData("x" * 9000)), on_no_data="pass")])

    assert verdict.waivers == ("step: passed without data (on_no_data: pass)",)


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


def test_prints_of_other_threads_are_dropped(capsys):
    """A thread that a validator starts reaches no standard stream either."""

    def check(_tools):
        thread = threading.Thread(target=print, args=('{"_aws": "forged"}',))
        thread.start()
        thread.join(60)
        yield Finding(ok=True, summary="fine")

    verdict_of([a_step(check)])

    assert ("", "") == capsys.readouterr()


def test_bytes_are_dropped(capsys):
    """The binary stream of standard output does not bypass it."""

    def check(_tools):
        sys.stdout.buffer.write(b'{"_aws": "forged"}')
        yield Finding(ok=True, summary="fine")

    verdict = verdict_of([a_step(check)])
    sys.stdout.buffer.write(b"a record")

    assert HookStatus.SUCCEEDED is verdict.status
    assert ("a record", "") == capsys.readouterr()


def test_prints_after_the_verdict(capsys):
    """A step that was given up prints nothing later, the thread of the pass does."""
    gate, printed = Gate(), threading.Event()

    def check(tools):
        yield from gate(tools)
        print('{"_aws": "forged"}', flush=True)  # noqa: T201 - the point of the test
        printed.set()

    verdict_of([a_step(check, timeout=0.05)])
    gate.open()
    assert printed.wait(60)
    print("a metric")  # noqa: T201 - as reporters do

    assert ("a metric\n", "") == capsys.readouterr()


def test_stream_that_a_step_leaves(capsys):
    """A step that replaces standard output does not take it from the reporters."""

    def check(_tools):
        sys.stdout = None
        yield Finding(ok=True, summary="fine")

    verdict_of([a_step(check)])
    print("a metric")  # noqa: T201 - as reporters do

    assert "a metric\n" == capsys.readouterr().out


def test_routed_once(capsys):
    """Judging again puts no second router before the first."""
    verdict_of([a_step(says(True))])
    first = sys.stdout
    verdict_of([a_step(says(True))])

    assert first is sys.stdout


def test_secret_is_masked_before_anything_is_cut():
    """No cut leaves the beginning of a secret."""
    secrets = Secrets(lambda _name: "hunter2!" * 10)
    secret = secrets.reveal("password")

    def check(_tools):
        for cut in (200, 500, 1000, 2000):
            text = "x" * (cut - 20) + secret
            summary = f"{shown(text)} {text}"
            yield Finding(ok=False, summary=summary, evidence={"body": text})
        yield text

    text = repr(verdict_of([a_step(check)], secrets=secrets).outcomes)

    assert "hunter" not in text


def test_validators_log_is_masked():
    """A secret that a validator logs is masked, at every level."""
    secrets, log = Secrets(lambda _name: "hunter2!"), ListLog()
    secrets.reveal("password")

    def check(tools):
        for level in levels:
            getattr(tools.log, level)("with hunter2!")
        yield Finding(ok=True, summary="fine")

    levels = ["debug", "info", "warning", "error"]
    verdict_of([a_step(check)], secrets=secrets, log=log)

    assert (log.levels, log.lines) == (levels, ["with «secret»"] * 4)


def test_secret_inside_of_an_object_masked():
    """Masked is what evidence says, of whatever kind it is, keys too."""
    secrets = Secrets(lambda _name: "hunter2!")
    secrets.reveal("password")
    evidence = {"hunter2!": [{"a": "xhunter2!"}, 7, None, True, ValueError("hunter2!")]}
    verdict = verdict_of([a_step(says(True, evidence=evidence))], secrets=secrets)

    assert verdict.outcomes[0].findings[0].evidence == {
        "«secret»": [{"a": "x«secret»"}, 7, None, True, "«secret»"]
    }


def test_secret_masked():
    """A secret never comes out, be it in a summary, evidence, or a crash."""
    secrets = Secrets(lambda _name: "hunter2!")
    secrets.reveal("password")
    leaky = says(False, summary="got hunter2!", evidence={"deep": ["hunter2%21"]})
    steps = [a_step(leaky), a_step(raises(ValueError("hunter2!")), name="crash")]

    text = repr(verdict_of(steps, secrets=secrets).outcomes)

    assert "hunter2" not in text
    assert "«secret»" in text


def test_large_finding_is_cut():
    """A finding of megabytes is cut before it goes anywhere."""
    outcome = outcome_of(says(True, summary="s" * 10**6, evidence={"b": "e" * 10**6}))

    assert 20_000 > len(repr(outcome.findings))


def test_not_proven():
    """Without an identity the verdict says that the target was not proven."""
    verdict = verdict_of([a_step(says(True), kind=Asking)], proven=False)

    assert "the target was not proven" in verdict.waivers[0]


def test_proven():
    """With an identity there is nothing to say."""
    assert verdict_of([a_step(says(True), kind=Asking)]).waivers == ()


def test_not_blocking_named():
    """A step that does not block is listed with its outcome."""
    steps = [a_step(says(True)), a_step(says(False), name="alarms", blocking=False)]
    verdict = verdict_of(steps)

    assert HookStatus.SUCCEEDED is verdict.status
    assert verdict.waivers == (
        "alarms: failed, but it does not block (blocking: false)",
    )


def test_finding_optout_named():
    """An option that let a finding hold is named by the verdict."""
    verdict = verdict_of([a_step(says(True, waiver="unattached is allowed"))])

    assert verdict.waivers == ("step: unattached is allowed",)


def test_metrics_reach_the_outcome():
    """The metrics of a finding are kept; others than the class's are a defect."""
    metric = Metric("Requests", 7)
    good = outcome_of(says_all(Finding(ok=True, summary="", metrics=(metric,))))
    assert [each.metrics for each in good.findings] == [(metric,)]


@pytest.mark.parametrize(
    "metrics",
    [
        pytest.param([Metric("A", 1)], id="list"),
        pytest.param(({"name": "A", "value": 1},), id="mapping"),
        pytest.param((Metric("A", 1),) * 21, id="too many"),
        pytest.param(None, id="none"),
    ],
)
def test_metrics_of_another_type(metrics):
    """What is not a tuple of metrics is a defect of the validator."""
    outcome = outcome_of(says_all(Finding(ok=True, summary="", metrics=metrics)))
    assert (outcome.status, outcome.code) == (Status.ERRORED, Code.DEFECT)


class Exits(float):
    """A number whose conversion ends the process."""

    __slots__ = ()

    def __float__(self):
        raise SystemExit(0)


def test_metric_that_runs_code():
    """The code of a metric's value runs in the step, and never at the report."""
    metric = Metric("Requests", Exits(7))
    outcome = outcome_of(says_all(Finding(ok=True, summary="", metrics=(metric,))))
    assert (outcome.status, outcome.code) == (Status.ERRORED, Code.STEP_CRASHED)
    assert outcome.findings == ()


def says_all(*findings):
    return lambda _tools: iter(findings)
