"""The watchdog process: it reports Failed when this process cannot.

A validator that hangs in C code can hold the interpreter's lock, and then no thread
of this process runs. So a small process watches it, and reports Failed when the time is
over or when this process dies.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, Self

from hookgate.aws.calls import AwsCalls
from hookgate.aws.codedeploy import CodeDeployStatus, ended_as
from hookgate.codes import Code
from hookgate.context import DeploymentInfo, HookEvent
from hookgate.deadline import SystemClock
from hookgate.environment import Environment
from hookgate.model import HookStatus, LifecycleEvent, Reason, Verdict
from hookgate.reporting import EmfMetrics, InvocationLog

#: Seconds of a report until the watchdog process reports instead. The rest of the
#: reserve is for its own report.
REPORTING = 14.0
_SCRIPT = Path(__file__).with_name("process.py")


class ProcessGuard:
    """Detects damage that a validator does to its process.

    A process is damaged when its standard output, standard error or pipe to the
    watchdog process was closed or replaced, or when it was interrupted.
    """

    def __init__(self, pipe: int | None) -> None:
        self._kept = {fd: os.dup(fd) for fd in (1, 2) if _open_file(fd)}
        watched = [*self._kept.values(), *([pipe] if pipe else [])]
        self._known = {fd: _open_file(fd) for fd in watched}
        self._pipe = pipe
        self._interrupts = 0
        self._previous: Any = None
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._interrupted)

    def damage(self) -> str:
        """Describe the damage; restores standard output and error."""
        closed = [self._restored(fd) for fd in self._kept]
        found = [
            *(f"file descriptor {fd}" for fd in closed if fd),
            *(["the pipe to the watchdog process"] if self.pipe_is_lost else []),
        ]
        what = [f"closed or replaced {', '.join(found)}"] if found else []
        if self._interrupts:
            what.append("interrupted this process (SIGINT)")
        if not what:
            return ""
        return f"a validator {' and '.join(what)}, so no finding is trusted"

    @property
    def pipe_is_lost(self) -> bool:
        """Whether the pipe's descriptor is no longer the pipe."""
        return self._pipe is not None and not self._is_same(self._pipe)

    def close(self) -> None:
        """Close the copies; an interrupted process continues to ignore SIGINT."""
        for kept in self._kept.values():
            if self._is_same(kept):
                os.close(kept)
        if self._previous is not None and not self._interrupts:
            signal.signal(signal.SIGINT, self._previous)

    def _restored(self, fd: int) -> int:
        """Restore ``fd``; returns it if it was closed or replaced, else 0."""
        kept = self._kept[fd]
        file = self._known.get(kept)
        if _open_file(fd) == file:
            return 0
        if _open_file(kept) == file:
            os.dup2(kept, fd)
        else:  # not into the file that has the number now
            null = os.open(os.devnull, os.O_WRONLY)
            if null != fd:
                os.dup2(null, fd)
                os.close(null)
        return fd

    def _is_same(self, fd: int) -> bool:
        return _open_file(fd) == self._known.get(fd)

    def _interrupted(self, *_: object) -> None:
        self._interrupts += 1


def _open_file(fd: int) -> tuple[int, int] | None:
    """The device and inode of a descriptor's open file, or None if it is closed."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Watchdog:
    """The watchdog process, started when first needed and kept between invocations.

    It never prevents the report of this process: if it cannot be started or reached,
    ``on_lost`` is called, and the invocation continues without it.
    """

    def __init__(
        self, on_lost: Callable[[str], None], python: str | None = None
    ) -> None:
        self._on_lost = on_lost
        self._python = python or sys.executable
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: ProcessGuard | None = None
        self.damaged = False

    @contextlib.contextmanager
    def watch(
        self, hook: HookEvent, event: LifecycleEvent, seconds: float
    ) -> Iterator[Self]:
        """Report Failed unless the block ends within ``seconds``.

        A block that raises ends the watch too: Lambda retries the invocation and then
        sends the event to the fallback report.
        """
        ids = hook.model_dump(by_alias=True)
        watch = {"ids": ids, "event": str(event), "path": sys.path}
        self._start()
        self._send(f"watch {seconds}", watch)
        pipe = self._process.stdin if self._process else None
        self._guard = ProcessGuard(pipe.fileno() if pipe else None)
        try:
            yield self
        finally:
            self._send("end")
            self._guard.close()
            self._guard = None

    def damage(self) -> str:
        """How a validator damaged this process; empty if it did not."""
        found = self._guard.damage() if self._guard else ""
        self.damaged = self.damaged or bool(found)
        return found

    def note(self, doing: str) -> None:
        """Note what runs now; the reason of the fallback report contains it."""
        self._send("note", doing)

    def set_deployment(self, deployment: DeploymentInfo) -> None:
        """Note the deployment, for the metrics."""
        self._send("deployment", asdict(deployment))

    def due(self, seconds: float) -> None:
        """Set the time limit of the invocation to ``seconds`` from now."""
        self._send(f"due {seconds}")

    def reporting(self) -> None:
        """Allow time for the report, which may need its retries."""
        self.due(REPORTING)

    def exit(self) -> NoReturn:
        """End this process after damage, so that Lambda starts another.

        If the pipe was closed, the watchdog process reports and publishes, too.
        """
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):  # a validator may have closed it
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(REPORTING)
        os._exit(1)

    def close(self) -> None:
        """End the watchdog process."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                process.communicate()

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        # -I and -S start in ten milliseconds; the watch carries the path.
        command = [self._python, "-I", "-S", str(_SCRIPT)]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own script
        except OSError as error:
            self._on_lost(f"the watchdog process did not start: {error}")
        else:
            atexit.register(self.close)

    def _send(self, word: str, about: object = None) -> None:
        """Write one line: a word, and JSON, which has no line break of its own."""
        if self._process is None or self._process.stdin is None:
            return
        if self._guard and self._guard.pipe_is_lost:
            return  # the watchdog process reports Failed at the end of the pipe
        try:
            line = f"{word} {json.dumps(about, default=str)}\n"
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except OSError as error:
            self._on_lost(f"the watchdog process is lost: {error}")
            self.close()


def report_failed(
    ids: Mapping[str, Any],
    event: str,
    reason: str,
    deployment: Mapping[str, Any] | None,
) -> None:
    """Report Failed to CodeDeploy, and publish the verdict if that was accepted.

    The report is first: it needs only the ids, and its response shows whether
    CodeDeploy accepted another report before, which no metric may contradict.

    Args:
        ids: the hook event's payload.
        event: the lifecycle event's name.
        reason: why the hook did not report itself.
        deployment: the fields of ``DeploymentInfo``, or None if it was not found.

    Raises:
        InputError: ``ids`` is not a hook event.
        ReportError: CodeDeploy did not confirm the report. Nothing is published.
    """
    hook, lifecycle_event = HookEvent.parse(ids), LifecycleEvent(event)
    known = None
    if deployment:  # the start of the event is a text here, and not needed
        known = DeploymentInfo(**{**deployment, "event_started_at": None})
    aws = AwsCalls()
    status = CodeDeployStatus(aws.client("codedeploy"))
    ended: str | None = None
    if status.report(hook, HookStatus.FAILED):
        ended = HookStatus.FAILED
    elif known:
        ended = ended_as(aws, known, lifecycle_event, SystemClock())
    log = InvocationLog.to()
    log.begin(hook, event)
    if ended == HookStatus.FAILED:
        why = {"report": Reason(Code.HOOK_SILENT, reason)}
        verdict = Verdict.aborted(lifecycle_event, why)
        log.publish(verdict, known)
        EmfMetrics(Environment.read().metrics_namespace).publish(verdict, known)
    else:
        log.problem(
            f"{event} had already ended ({ended or 'status not known'}), so Failed is "
            f"not published: {reason}"
        )
