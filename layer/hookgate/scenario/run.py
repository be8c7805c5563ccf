"""A run of a scenario: request by request, and what each found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import NoAnswer
from hookgate.expectation.capture import Capture
from hookgate.expectation.findings import judge
from hookgate.expectation.value import (
    Missing,
    Unreadable,
    encodable,
    not_finite,
    shown,
)
from hookgate.model import Finding
from hookgate.patience.attempt import Attempt
from hookgate.patience.attempts import eventually
from hookgate.probe import Reply
from hookgate.redaction import hide
from hookgate.scenario.script import Script, calls, seconds
from hookgate.scenario.step import Call, Group
from hookgate.scenario.variables import NotCaptured, told, written
from hookgate.scenario.visitor import Visitor
from hookgate.statuses import status_in

#: A captured value is no larger than this, written as JSON.
LARGEST = 64 * 1024
#: A secret has no more parts, each of which is masked.
MOST_PARTS = 100
#: Parts of a secret value that are none: to mask them would make holes in every text.
_TELL_NOTHING: tuple[Any, ...] = ("", None, True, False, [], {})


@dataclass(slots=True, kw_only=True)
class ScriptRun:
    """One run: it keeps cookies and values, and ends with its cleanup steps.

    Every request is the ``visitor``'s, whose probe proves who answered.
    """

    script: Script
    visitor: Visitor
    deadline: Deadline
    values: dict[str, Any] = field(default_factory=dict)

    def findings(self) -> Iterator[Finding]:
        """Run the steps until one does not hold, then all cleanup steps.

        The cleanup has its worst case, or half of the time, kept for it.
        """
        self.values.update(self.script.variables)
        left = self.deadline.remaining
        kept = min(seconds(self.script.cleanup), left / 2)
        trouble: Exception | None = None
        try:
            yield from self._in_order(
                self.script.steps, self.deadline.within(left - kept)
            )
        # Whatever happened, even a crash: what was made must go.
        except Exception as error:  # noqa: BLE001 - raised again below
            trouble = error
        for call, row in calls(self.script.cleanup):
            try:
                yield from self._told(call, row, self.deadline, "cleanup, ")
            except Exception as error:  # noqa: BLE001 - as above
                trouble = trouble or error
        if trouble:
            raise trouble

    def _in_order(
        self, items: Sequence[Call | Group], deadline: Deadline
    ) -> Iterator[Finding]:
        for call, row in calls(items):
            found = list(self._told(call, row, deadline))
            yield from found
            if not all(each.ok for each in found):
                return

    def _told(
        self, call: Call, row: Any, deadline: Deadline, prefix: str = ""
    ) -> Iterator[Finding]:
        """What one step finds once it has settled."""
        values = self.values if row is None else {**self.values, "row": row}
        title = f"{prefix}{told(call.title, values)}"
        try:
            ready = call.filled(values)
        except NotCaptured as error:
            what = f"not asked: {{{{{error.args[0]}}}}} has no value"
            yield Finding(ok=False, code=Code.CAPTURE, summary=f"{title}: {what}")
            return
        except ValidationError as error:
            what = f"not a step once its variables are filled in: {_first(error)}"
            yield Finding(ok=False, code=Code.CAPTURE, summary=f"{title}: {what}")
            return
        settled = eventually(
            lambda: self._attempt(ready, deadline), ready.patience, deadline
        )
        for each in settled.findings:
            yield replace(each, summary=f"{title}: {each.summary}")

    def _attempt(self, call: Call, deadline: Deadline) -> Attempt:
        try:
            request = call.request(
                self.visitor.headers,
                timeout=call.timeout,
                max_body=call.max_body,
                follow=call.follow,
            )
            reply = self.visitor.ask(request, deadline)
        except NoAnswer as error:
            return Attempt(
                findings=(Finding(ok=False, summary=str(error), code=error.code),)
            )
        return Attempt(findings=tuple(self._judged(call, reply)))

    def _judged(self, call: Call, reply: Reply) -> Iterator[Finding]:
        """All that does not hold, or one finding that everything does."""
        answered = Finding(
            ok=status_in(reply.status, call.status),
            summary=f"answered {reply.status}, expected {' or '.join(call.status)}",
            code=Code.HTTP_STATUS,
        )
        lost = list(self._captured(call, reply))
        found = [answered, *judge(call.expected(call.expect), reply)]
        broken = [each for each in (*found, *lost) if not each.ok]
        evidence = {
            "status": reply.status,
            "duration_ms": round(reply.duration * 1000, 1),
            "peer": reply.peer,
        }
        if reply.redirects:
            evidence["redirects"] = [each.location for each in reply.redirects]
        for each in broken:
            yield replace(each, evidence={**evidence, "body": reply.text})
        if broken and self.visitor.jar.withheld:
            yield Finding(
                ok=False,
                summary=_withheld(self.visitor.jar.withheld),
                code=Code.COOKIE_WITHHELD,
            )
        if not broken:
            summary = "; ".join(each.summary for each in found)
            optout = self.visitor.trust.optout if reply.certificate else ""
            yield Finding(
                ok=True,
                summary=summary,
                evidence=evidence,
                optout=optout,
                code=Code.SCENARIO_STEP,
            )

    def _captured(self, call: Call, reply: Reply) -> Iterator[Finding]:
        """Keep what the step captures; state what could not be kept."""
        for name, capture in call.capture.items():
            where, value = capture.take(reply)
            fault = _fault(value) or (_too_many(value) if capture.secret else "")
            if fault:
                yield Finding(
                    ok=False,
                    summary=f"capture {name}: {where}: {fault}",
                    code=Code.CAPTURE,
                )
                continue
            self._keep(name, capture, value)

    def _keep(self, name: str, capture: Capture, value: Any) -> None:
        if capture.secret:
            for each in _parts(value):
                hide(each)
        self.values[name] = value


def _withheld(names: Sequence[str]) -> str:
    return (
        f"marked Secure, so not sent without TLS: cookie {', '.join(names)}; for a "
        "test listener without TLS say secure_cookies: always"
    )


def _too_many(value: Any) -> str:
    """Why a secret is none that can be masked, or nothing."""
    many = len(list(itertools.islice(_parts(value), MOST_PARTS + 1))) > MOST_PARTS
    what = f"more than {MOST_PARTS} values cannot be masked: capture the secret alone"
    return what if many else ""


def _parts(value: Any) -> Iterator[str]:
    """A value and all that is in it, as texts: an answer may repeat a part alone."""
    yield written(value)
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list | tuple):
        for each in inner:
            if each not in _TELL_NOTHING:
                yield from _parts(each)


def _fault(value: Any) -> str:
    """Why a value cannot be kept, or nothing."""
    if isinstance(value, Missing | Unreadable) or not_finite(value):
        return f"came {shown(value)}"
    if value is None or value in ("", b"", [], {}):
        return f"came {shown(value)}, which is no value to go on with"
    if len(encodable(written(value))) > LARGEST:
        return f"more than {LARGEST} characters cannot be kept"
    return ""


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
