"""CloudWatch metrics in Embedded Metric Format, as lines on standard output."""

from __future__ import annotations

from dataclasses import dataclass

from hookgate.context import DeploymentInfo
from hookgate.model import HookStatus, Outcome, Status, Verdict

#: The application and group of a deployment that could not be found.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EmfMetrics:
    """Writes the metrics of a verdict; an alarm on ``VerdictFailed`` can roll back."""

    namespace: str

    def publish(self, verdict: Verdict, deployment: DeploymentInfo | None) -> None:
        """Write and flush the lines, so that they precede the report."""
        self._verdict(verdict, deployment)
        for outcome in verdict.outcomes:
            self._step(verdict, outcome, deployment)

    def _verdict(self, verdict: Verdict, deployment: DeploymentInfo | None) -> None:
        succeeded = verdict.status is HookStatus.SUCCEEDED
        group = _group(deployment)
        values = {
            "VerdictSucceeded": ("Count", float(succeeded)),
            "VerdictFailed": ("Count", float(not succeeded)),
            "ValidationDuration": ("Milliseconds", float(verdict.duration_ms)),
        }
        full = {**group, "LifecycleEvent": str(verdict.event)}
        self._write((group, full), values, deployment)

    def _step(
        self, verdict: Verdict, outcome: Outcome, deployment: DeploymentInfo | None
    ) -> None:
        dimensions = {
            **_group(deployment),
            "LifecycleEvent": str(verdict.event),
            "Step": _ascii(outcome.name),
        }
        values = {
            **_measured(outcome),
            "StepPassed": ("Count", float(outcome.status is Status.PASSED)),
            "StepDuration": ("Milliseconds", float(outcome.duration_ms)),
        }
        self._write((dimensions,), values, deployment)

    def _write(
        self,
        dimension_sets: tuple[dict[str, str], ...],
        values: dict[str, tuple[str, float]],
        deployment: DeploymentInfo | None,
    ) -> None:
        from aws_lambda_powertools.metrics import (  # noqa: PLC0415 - first needed here
            EphemeralMetrics,
        )

        # An empty service keeps Powertools from adding a dimension of its own.
        metrics = EphemeralMetrics(namespace=self.namespace, service="")
        first, *others = dimension_sets
        for name, value in first.items():
            metrics.add_dimension(name=name, value=value)
        for each in others:
            metrics.add_dimensions(**each)
        for name, (unit, number) in values.items():
            metrics.add_metric(name=name, unit=unit, value=number)
        if deployment is not None:
            metrics.add_metadata(key="deployment_id", value=deployment.id)
        metrics.flush_metrics()


def _measured(outcome: Outcome) -> dict[str, tuple[str, float]]:
    """The metrics of a step's findings; of equal names the last."""
    return {
        each.name: (each.unit, float(each.value))
        for finding in outcome.findings
        for each in finding.metrics
    }


def _group(deployment: DeploymentInfo | None) -> dict[str, str]:
    if deployment is None:
        return {"Application": UNKNOWN, "DeploymentGroup": UNKNOWN}
    return {
        "Application": _ascii(deployment.application),
        "DeploymentGroup": _ascii(deployment.group),
    }


def _ascii(text: str) -> str:
    """CloudWatch accepts dimension values of up to 1024 ASCII characters."""
    return text.encode("ascii", "backslashreplace").decode()[:1024]
