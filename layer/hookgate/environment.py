"""The settings of a deployed function, read once from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The function's settings; each has a parameter in template.yaml."""

    plan_parameter_prefix: str = ""
    plan_bucket: str = ""
    plan_key_prefix: str = ""
    plan_folder: Path = Path("hooks/plans")
    bundled_plan_when_no_plan: bool = False
    metrics_namespace: str = "Hookgate"
    idempotency_table: str = ""
    secret_prefix: str = ""
    allowed_targets: str = ""

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Environment:
        """Read the variables whose names begin with ``HOOKGATE_``."""
        root = Path(environ.get("LAMBDA_TASK_ROOT", "."))
        return cls(
            plan_parameter_prefix=environ.get("HOOKGATE_PLAN_PARAMETER_PREFIX", ""),
            plan_bucket=environ.get("HOOKGATE_PLAN_BUCKET", ""),
            plan_key_prefix=environ.get("HOOKGATE_PLAN_KEY_PREFIX", ""),
            plan_folder=root / "hooks" / "plans",
            bundled_plan_when_no_plan=(
                environ.get("HOOKGATE_BUNDLED_PLAN") == "WhenNoPlan"
            ),
            metrics_namespace=environ.get("HOOKGATE_METRICS_NAMESPACE") or "Hookgate",
            idempotency_table=environ.get("HOOKGATE_IDEMPOTENCY_TABLE", ""),
            secret_prefix=environ.get("HOOKGATE_SECRET_PREFIX", ""),
            allowed_targets=environ.get("HOOKGATE_ALLOWED_TARGETS", ""),
        )
