"""``use: command``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from hookgate import DeploymentContext, Duration, Finding, Tools, Validator
from hookgate.external_checks import (
    foreign_document,
    foreign_findings,
    foreign_question,
    run_child,
)

_Word = Annotated[str, Field(min_length=1, max_length=4096)]

#: Just over the maximum size of a response.
_MOST = 256 * 1024 + 1


class Command(Validator):
    """Does a program on this machine accept the new version?

    It reads the deployment as JSON (RFC 8259) from standard input and writes findings
    to standard output, ``{"findings": [{"ok": true, "summary": "…"}]}``. Other output
    is an error, and so is an exit code other than 0. It runs without a shell, and is
    killed with all its child processes. Only ``hookgate run`` can use it, because
    Lambda has no such program.

    Example:
        - use: command
          with:
            run: [./judge, --strict]
            input: {orders: 3}
            timeout: 30s
    """

    only_run: ClassVar[bool] = True

    run: tuple[_Word, ...] = Field(
        min_length=1,
        max_length=100,
        description="The program and its arguments; it gets the environment of "
        "hookgate.",
    )
    input: Mapping[str, Any] = Field(
        {}, description="Further input for the program, under the key input."
    )
    timeout: Duration = Field(
        60.0, gt=0, le=900, description="Maximum time of the program."
    )

    def worst_case(self) -> float:
        """The timeout."""
        return self.timeout

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Run the program, and yield its findings."""
        written = run_child(
            self.run,
            foreign_document(foreign_question(context, self.input)),
            deadline=tools.deadline.within(self.timeout),
            most=_MOST,
        )
        yield from foreign_findings(written, self.run[0])
