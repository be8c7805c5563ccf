"""A validator in a package of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar
from urllib.robotparser import RobotFileParser

from pydantic import Field

from hookgate import DeploymentContext, Finding, Request, Tools, Validator


class RobotsTxt(Validator):
    """Check that robots.txt of the new version allows search engines to read it.

    A missing robots.txt allows all, and one that cannot be served forbids all:
    RFC 9309, sections 2.3.1.3 and 2.3.1.4.
    """

    asks_listener: ClassVar[bool] = True

    agent: str = Field("Googlebot", description="The crawler.")
    paths: tuple[str, ...] = Field(
        ("/",), description="Paths that it must be allowed to read."
    )

    def worst_case(self) -> float:
        """One request."""
        return 10.0

    def check(
        self,
        context: DeploymentContext,  # noqa: ARG002 - every deployment is asked the same
        tools: Tools,
    ) -> Iterator[Finding]:
        """Read robots.txt once, and judge each path."""
        reply = tools.http(Request(path="/robots.txt", timeout=10.0))
        rules = RobotFileParser()
        rules.parse(reply.text.splitlines() if reply.status == 200 else [])
        rules.disallow_all = reply.status >= 500
        for path in self.paths:
            allowed = rules.can_fetch(self.agent, path)
            yield Finding(
                ok=allowed,
                summary=f"robots.txt ({reply.status}) "
                f"{'lets' if allowed else 'does not let'} {self.agent} read {path}",
                evidence={"status": reply.status, "robots_txt": reply.text[:500]},
            )
