"""Count the source files that one HTTP step, one plan and one API call run through.

Run it with ``.venv/bin/python tools/trace_files.py``; ``--list`` also lists the files.
Each path is traced in a new process, so no cache of another path shortens it. A file
counts when one of its functions is called. Importing a module does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("hooks", "validators", "layer", "rehearsal", "cli")
STARTS = tuple(f"{ROOT / folder}/" for folder in FOLDERS)

#: The maximum number of files for each path, and of modules and lines in FOLDERS.
BOUNDS = {"http step": 20, "plan": 14, "CreateDeployment": 16}
MODULES, LINES = 240, 40_000

PLAN = """\
version: 1
events:
  AfterAllowTestTraffic:
    - use: http
      name: home page
      with:
        path: /
        status: 200
        expect:
          - {jsonpath: $.status, equals: ok}
"""


class Trace:
    """The files whose functions were called, and the names of the functions.

    Args:
        thread: Only threads whose name contains this text count.
        starts: Only files whose absolute path starts with one of these count.
    """

    def __init__(self, thread: str = "", starts: tuple[str, ...] = STARTS) -> None:
        self._thread = thread
        self._starts = starts
        self.calls: dict[str, set[str]] = {}

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Trace this thread and every thread that starts in the block."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _profile(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event != "call":
            return
        file = _real_path(code.co_filename)
        if not file.startswith(self._starts):
            return
        if self._thread not in threading.current_thread().name:
            return
        if not _is_import(frame):
            name = file.removeprefix(f"{ROOT}/")
            self.calls.setdefault(name, set()).add(code.co_qualname)


@cache
def _real_path(file: str) -> str:
    """Resolve the links of src/."""
    return os.path.realpath(file)


def _is_import(frame: FrameType) -> bool:
    """Whether a call is part of the import of a module."""
    above: FrameType | None = frame
    while above is not None:
        if above.f_code.co_name == "<module>" and above.f_back is not None:
            return "importlib" in above.f_back.f_code.co_filename
        above = above.f_back
    return False


def _read(text: str) -> Any:
    from hookgate.plan import read_plan  # noqa: PLC0415 - each path imports its own
    from hookgate.registry import resolve  # noqa: PLC0415 - as above

    return read_plan(text, "plan.yaml", resolve)


def trace_plan() -> Trace:
    """Trace the reading of a plan of ten lines."""
    trace = Trace()
    with trace():
        _read(PLAN)
    return trace


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"status": "ok"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@contextmanager
def _server() -> Iterator[int]:
    """An HTTP server that answers with JSON; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def trace_http_step() -> Trace:
    """Trace one ``http`` step, from the engine to a real server and its outcome."""
    # Each path imports only what it runs.
    from hookgate.context import DeploymentContext, Endpoint  # noqa: PLC0415
    from hookgate.deadline import Deadline  # noqa: PLC0415
    from hookgate.engine import run_steps  # noqa: PLC0415
    from hookgate.http.address import AddressPolicy  # noqa: PLC0415
    from hookgate.model import LifecycleEvent  # noqa: PLC0415
    from hookgate.redaction import Secrets  # noqa: PLC0415
    from hookgate.run_context import make_run_context  # noqa: PLC0415
    from hookgate.validator import Log  # noqa: PLC0415
    from hookgate_cli.run import no_aws  # noqa: PLC0415

    event = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
    plan, trace = _read(PLAN), Trace()
    with _server() as port:
        listener = Endpoint(scheme="http", address="127.0.0.1", port=port)
        run_context = make_run_context(
            plan,
            DeploymentContext(event=event, test=listener),
            secrets=Secrets(lambda name: name),
            aws=no_aws,
            policy=AddressPolicy.of_command(),
            log=lambda _step: Log(lambda _level, _message: None),
            on_outcome=lambda _outcome: None,
            on_start=lambda _step: None,
        )
        with trace():
            verdict = run_steps(run_context, plan.steps(event), Deadline.after(60))
    _require(str(verdict.status) == "Succeeded", f"the step did not pass: {verdict}")
    return trace


def trace_create_deployment() -> Trace:
    """Trace CreateDeployment in the thread of the emulator's server."""
    import boto3  # noqa: PLC0415 - each path imports its own

    from hookgate_cli.rehearse import EXAMPLE  # noqa: PLC0415
    from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver  # noqa: PLC0415
    from hookgate_rehearsal.scenario.reader import read_scenario  # noqa: PLC0415
    from hookgate_rehearsal.serve import prepare  # noqa: PLC0415

    trace = Trace(thread="endpoint-client")
    scenario = read_scenario(EXAMPLE)
    with prepare(
        Rehearsal(scenario=scenario, observer=RehearsalObserver())
    ) as prepared:
        group = prepared.scenario.content.deployment_group
        # A new client opens a connection of its own, for which a new thread starts.
        codedeploy = boto3.client(
            "codedeploy",
            endpoint_url=prepared.emulator.endpoint_url,
            region_name=prepared.emulator.settings.region,
            aws_access_key_id=prepared.emulator.settings.key.id,
            aws_secret_access_key="test",  # noqa: S106 - not checked
        )
        with trace():
            made = codedeploy.create_deployment(
                applicationName=group.application,
                deploymentGroupName=group.name,
                revision=next(iter(prepared.revisions.values())),
            )
        codedeploy.stop_deployment(deploymentId=made["deploymentId"])
    return trace


PATHS: dict[str, Callable[[], Trace]] = {
    "http step": trace_http_step,
    "plan": trace_plan,
    "CreateDeployment": trace_create_deployment,
}


def _require(truth: bool, why_not: str) -> None:
    if not truth:
        raise SystemExit(why_not)


def size() -> tuple[int, int]:
    """The number of modules and of lines in FOLDERS."""
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return len(modules), sum(path.read_bytes().count(b"\n") for path in modules)


def traced(path: str) -> dict[str, list[str]]:
    """Trace a path in a new process: its functions by file."""
    with tempfile.NamedTemporaryFile(suffix=".json") as record:
        command = [sys.executable, __file__, "--path", path, "--record", record.name]
        subprocess.run(command, check=True, cwd=ROOT, timeout=120)  # noqa: S603 - ours
        found: dict[str, list[str]] = json.loads(Path(record.name).read_bytes())
        return found


def main(arguments: list[str] | None = None) -> None:
    """Print each figure beside its bound."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="list the files")
    parser.add_argument("--functions", action="store_true", help="list the functions")
    parser.add_argument("--path", choices=PATHS, help="trace only this path")
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.record:
        calls = PATHS[given.path]().calls
        sorted_calls = {file: sorted(names) for file, names in sorted(calls.items())}
        given.record.write_text(json.dumps(sorted_calls), encoding="utf-8")
        return
    for path in [given.path] if given.path else PATHS:
        calls_by_file = traced(path)
        total = sum(map(len, calls_by_file.values()))
        row = f"{path:<17} {len(calls_by_file):>6} files   (at most {BOUNDS[path]})"
        print(f"{row}, {total} functions")
        for file, names in calls_by_file.items():
            if given.list or given.functions:
                print(f"    {len(names):>3}  {file}")
            if given.functions:
                print("         " + ", ".join(names))
    modules, lines = size()
    print(f"{'modules':<17} {modules:>6}         (at most {MODULES})")
    print(f"{'lines':<17} {lines:>6}         (at most {LINES})")


if __name__ == "__main__":
    main()
