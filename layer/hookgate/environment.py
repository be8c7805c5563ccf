"""The settings of a deployed function, read once from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The function's settings; each has a parameter in template.yaml.

    Args:
        plan_parameter_prefix: SSM parameters are ``<prefix>/<application>/<group>`` and
            ``<prefix>/<application>``; empty to leave SSM out.
        plan_bucket: objects are ``<key prefix><application>/<group>.yaml`` and
            ``<key prefix><application>.yaml``, and files that they name
            ``<key prefix><application>/<name>``; empty to leave S3 out.
        plan_key_prefix: the prefix of the keys in the bucket.
        plan_folder: contains files of the same names and the bundled ``default.yaml``.
        bundled_plan_when_no_plan: whether the bundled plan also applies when SSM or S3
            is configured and has no plan for the deployment.
    """

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
