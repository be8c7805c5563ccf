"""A service whose every response and task output tries to control who reads them."""

import io
import json
import logging
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from rich.table import Table
from support.answering import answering
from support.command import BRIEF, a_storefront, hookgate, in_terminal
from support.rehearsal_record import (
    a_deployment,
    a_record,
    a_verdict,
    an_event,
    an_outcome,
)

from hookgate.model import Outcome, Status
from hookgate.reporting import InvocationLog
from hookgate_cli.junit import of_rehearsal
from hookgate_cli.main import OneRecord, run
from hookgate_cli.main import hookgate as command
from hookgate_cli.output import Console, printable_errors
from hookgate_cli.page import page_of
from hookgate_cli.serve import ServeLog

TEXTS = yaml.safe_load(Path(__file__).with_name("hostile.yaml").read_text("utf-8"))
HOSTILE = [each["text"] for each in TEXTS if "shown" in each]
NORMAL = [each["text"] for each in TEXTS if "shown" not in each]
#: What rich writes to a terminal: colors, and the cursor of its live view.
OWN = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|[12]K|1A)|\r(?=\n|\x1b\[)|\n\r")
#: What no output may contain.
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    "\ufeff\ufffe\uffff\U000e0000-\U000e007f]"
    r"|##\w*\[|(?m:^\s*::(?:error|stop-commands|t0k|warning))"
)
PROGRAM = """
import sys, urllib.request
body = urllib.request.urlopen(sys.argv[1]).read()
sys.stderr.buffer.write(body)
sys.exit(1)
"""


class _Service(BaseHTTPRequestHandler):
    """Answers ``/N`` with text N, in its body, its reason phrase and a header."""

    def do_GET(self):
        text = HOSTILE[int(self.path[1:])]
        self.send_response(200, text.encode().decode("latin-1").replace("\n", ""))
        self.send_header("X-Text", re.sub("[^\x20-\xff]", "", text))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module", name="call")
def _call(tmp_path_factory):
    """The arguments of ``hookgate run`` against the service.

    Each text is in the reasons of a step that asserts and of one whose program fails.
    """
    with answering(ThreadingHTTPServer(("127.0.0.1", 0), _Service), 0.05) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        steps = []
        for number, _ in enumerate(HOSTILE):
            expect = [{"body": {"equals": "x"}}, {"header": "X-Text", "equals": "x"}]
            get = {"path": f"/{number}", "expect": expect}
            say = {"run": [sys.executable, "-c", PROGRAM, f"{url}/{number}"]}
            steps += [
                {"use": "http", "name": f"get {number}", "with": get},
                {"use": "command", "name": f"say {number}", "with": say},
            ]
        plan = tmp_path_factory.mktemp("plan") / "plan.yaml"
        events = {"AfterAllowTestTraffic": steps}
        plan.write_text(json.dumps({"version": 1, "events": events}), "utf-8")
        yield "run", "AfterAllowTestTraffic", "--plan", plan, "--url", url


def _check(text):
    assert [] == CONTROL.findall(text)


def test_run_in_a_pipe(call):
    """Standard output and error of CI contain no control and no command."""
    done = hookgate("--debug", *call)
    assert done.returncode == 1
    assert r"\x1b[31mPASSED\x1b[0m" in done.stdout
    assert r"\x23#vso[task" in done.stdout
    _check(done.stdout)
    _check(done.stderr)


def test_run_in_a_terminal(call):
    """A terminal gets the colors and cursor moves of Hookgate, and no others."""
    with in_terminal("--debug", *call) as terminal:
        assert terminal.wait() == 1
    output = terminal.raw
    assert r"\x1b[31mPASSED\x1b[0m" in output
    assert not re.search(r"\x1b\[31mPASSED", output)
    _check(OWN.sub("", output).replace("\r\n", "\n"))


def test_files_of_run(call, tmp_path):
    """JUnit XML shows escapes; the record is ASCII and has the exact texts."""
    json_file, junit_file = tmp_path / "a.json", tmp_path / "a.xml"
    hookgate(*call, "--json", json_file, "--junit", junit_file)
    _check_junit(junit_file.read_text("utf-8"))
    raw = json_file.read_text("ascii")
    _check(raw)
    reasons = [each["reason"] for each in json.loads(raw)["outcomes"]]
    for number, text in enumerate(HOSTILE):
        assert text.strip() in reasons[2 * number + 1]


def _check_junit(xml):
    _check(xml)
    for each in ET.fromstring(xml).iter():  # noqa: S314 - our own text
        for text in (each.text or "", *each.attrib.values()):
            _check(text)


@pytest.fixture(name="record")
def _record():
    """A rehearsal whose every text from outside is hostile."""
    text = "".join(HOSTILE) + "\nAfterInstall: Succeeded"
    finding = {"ok": False, "summary": text, "evidence": {text: [text]}}
    outcome = an_outcome(status="failed", reason=text, findings=[finding])
    event = an_event("AfterInstall", status="Failed", verdict=a_verdict(outcome))
    deployment = a_deployment(
        lifecycle_events=[event],
        error={"code": "HOOK", "message": text},
        alarms=[{"name": text, "reason": text}],
        surprises=[text],
        as_expected=False,
    )
    deployment["production_traffic"]["failures"] = [text]
    return a_record(deployment)


def test_files_of_rehearse(record):
    """Page and JUnit XML of a rehearsal show escapes, and no line is forged."""
    _check(page_of(record))
    xml = of_rehearsal(record)
    _check_junit(xml)
    lines = ET.fromstring(xml).findtext(".//system-out").splitlines()  # noqa: S314
    assert ["AfterInstall: Failed"] == [
        each for each in lines if each.startswith("AfterInstall")
    ]


def test_lines_of_serve():
    """A line of the emulator's log stays one, marked where the text has more."""
    out = io.StringIO()
    text = "\n".join(HOSTILE)
    log = ServeLog(Console(out, width=40))
    log.outcome("d-1", "AfterInstall", an_outcome(status="failed", reason=text))
    first, *others = out.getvalue().splitlines()
    assert first.startswith("d-1  ✗ failed  AfterInstall: home page: \\x1b[31mPASSED")
    assert others
    assert all(each.startswith("  | ") for each in others)
    _check(out.getvalue())


def test_log_lines_of_hooks():
    """A hook's log line is JSON in ASCII, with the exact text."""
    out, text = io.StringIO(), "".join(HOSTILE + NORMAL)
    log = InvocationLog.to(out, "hostile")
    log.outcome(
        Outcome(
            name="a",
            use="http",
            status=Status.FAILED,
            blocking=True,
            reason=text,
            duration_ms=1,
        )
    )
    log.step("a").info(text)
    log.problem(text)
    lines = out.getvalue().splitlines()
    assert out.getvalue().isascii()
    assert text == json.loads(lines[0])["outcome"]["reason"]
    assert [text, text] == [json.loads(each)["message"] for each in lines[1:]]
    _check(out.getvalue())


def test_output_of_a_task(tmp_path):
    """The quoted output of a task that ends is printable."""
    output = r"\033[31mPASSED\033[0m\n::error::x\n##[error]y\u202e"
    scenario = a_storefront(tmp_path, **BRIEF)
    program = f'print("{output}"); raise SystemExit(1)\n'
    (tmp_path / "app.py").write_text(program, "utf-8")
    done = hookgate("rehearse", scenario)
    assert done.returncode == 3
    assert r"\x1b[31mPASSED\x1b[0m" in done.stderr
    _check(done.stdout)
    _check(done.stderr)


def test_explain(capsys, tmp_path):
    """Texts of a plan are shown unchanged, and read neither as markup nor control."""
    plan = tmp_path / "plan.yaml"
    identity = {"header": "X-Version", "equals": ":smile: \x9b31m"}
    step = {"use": "http", "name": "[red]a[/red]", "with": {"path": "/"}}
    events = {"AfterAllowTestTraffic": [step]}
    text = json.dumps(
        {"version": 1, "target": {"identity": identity}, "events": events}
    )
    plan.write_text(text, "utf-8")
    assert run(command, ["explain", str(plan)]) == 0
    out = capsys.readouterr().out
    assert r":smile: \x9b31m" in out
    assert "[red]a[/red]" in out


def test_lint(capsys, tmp_path):
    """A problem of a file is printed without controls, whatever the file contains."""
    plan = tmp_path / "a\u202eb.yaml"
    plan.write_text(json.dumps({"version": 1, "\x9b31m": HOSTILE}), "utf-8")
    assert run(command, ["lint", str(plan)]) == 2
    _check(capsys.readouterr().out)


def test_wrapped_line(capsys):
    """A text that a table wraps begins no line with a command."""
    table = Table.grid()
    table.add_column(overflow="fold")
    table.add_row("x" * 20 + "::error::a " + "y" * 9)
    out = io.StringIO()
    Console(out, width=20).print(table)
    assert r"\x3a:error::a" in out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_errors_of_arguments(encoding, monkeypatch):
    """An error of click is printable, also where click would open a stream anew."""
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = hookgate("serve", "--image", "a\x9b31mPASSED\n::error::x='")
    assert done.returncode == 2
    assert r"\x9b31mPASSED" in done.stderr
    _check(done.stderr)


def test_standard_error(capsys):
    """Log lines and tracebacks of any library are printable."""
    with printable_errors():
        sys.stderr.write("ValueError: \x1b[31mPASSED\n::error::x\n")
    assert "ValueError: \\x1b[31mPASSED\n\\x3a:error::x\n" == capsys.readouterr().err


def test_log_records_of_debug():
    """A record of the log with several lines cannot add another record."""
    record = logging.makeLogRecord({"msg": "a\nERROR hookgate: b"})
    assert "a\n  | ERROR hookgate: b" == OneRecord().format(record)
