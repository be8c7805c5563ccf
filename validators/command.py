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

#: Just over the largest answer that is read.
_MOST = 256 * 1024 + 1


class Command(Validator):
    """Does a program on this machine find the new version good?

    It is told the deployment as JSON on standard input and answers with findings on
    standard output, ``{"findings": [{"ok": true, "summary": "…"}]}``, as RFC 8259 has
    it; anything else is an error, and so is an exit code other than 0. It is run
    without a shell and is killed with all that it started. Only ``hookgate run``
    takes it: in Lambda there is no such program.

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
        description="The program and its arguments; it sees the environment that "
        "hookgate has.",
    )
    input: Mapping[str, Any] = Field(
        {}, description="What the program is told besides, under the key input."
    )
    timeout: Duration = Field(
        60.0, gt=0, le=900, description="How long it may take to end."
    )

    def worst_case(self) -> float:
        """The timeout."""
        return self.timeout

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Run it, and state what it found."""
        written = run_child(
            self.run,
            foreign_document(foreign_question(context, self.input)),
            deadline=tools.deadline.within(self.timeout),
            most=_MOST,
        )
        yield from foreign_findings(written, self.run[0])
