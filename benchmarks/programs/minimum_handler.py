"""The least that the design allows: what it has a hook use, and nothing of Hookgate.

The packages that it fixes are imported, one pydantic model is made and used, the calls
that the shipped handler makes are made (``HOOKGATE_BENCH_CALLS`` names their file), and
the new version is asked once: by requests, which the design fixes, or by libcurl as the
shipped handler asks (``HOOKGATE_BENCH_CLIENT``). No plan, no rules, no threads, no
second process.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import boto3
import yaml
from aws_lambda_powertools import Logger, Metrics
from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """As many options as a step needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    status: int


def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Make the calls; what they answer is not looked at."""
    logger, metrics = Logger(service="minimum"), Metrics(namespace="Minimum")
    options = Options(**yaml.safe_load("{path: /, status: 200}"))
    clients: dict[str, Any] = {}
    for service, operation, parameters in calls():
        if service not in clients:
            clients[service] = boto3.client(service)
        getattr(clients[service], operation)(**parameters)
    url = os.environ["AWS_ENDPOINT_URL"] + options.path
    answered = ASK[os.environ.get("HOOKGATE_BENCH_CLIENT", "requests")](url)
    logger.info("answered", extra={"status": answered})
    metrics.add_metric(name="Asked", unit="Count", value=1)
    metrics.flush_metrics()
    return {"status": "Succeeded" if answered == options.status else "Failed"}


def calls() -> list[tuple[str, str, dict[str, Any]]]:
    """The calls, as ``record_calls`` wrote them."""
    recorded: list[tuple[str, str, dict[str, Any]]] = json.loads(
        Path(os.environ["HOOKGATE_BENCH_CALLS"]).read_text()
    )
    return recorded


def by_requests(url: str) -> int:
    """The status of a GET."""
    import requests  # noqa: PLC0415 - one of two clients

    return requests.get(url, timeout=5).status_code


def by_libcurl(url: str) -> int:
    """The status of a GET."""
    import pycurl  # noqa: PLC0415 - one of two clients

    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.TIMEOUT, 5)
    curl.setopt(pycurl.WRITEFUNCTION, len)
    curl.perform()
    return int(curl.getinfo(pycurl.RESPONSE_CODE))


ASK = {"requests": by_requests, "libcurl": by_libcurl}
