"""AWS's edge and a new version's listener, in a process of their own.

Run as ``python -m benchmarks.edge``: prints its port and serves until standard input
ends. Every answer is made by the tests' ``World`` once and kept as bytes: what is
measured is the gate, not what answers it.
"""

from __future__ import annotations

import importlib
import json
import socketserver
import sys
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parents[1] / "tests"
_REPORT = b"PutLifecycleEventHookExecutionStatus"
PLAN = """
version: 1
events:
  AfterAllowTestTraffic:
    - use: http
      with: {path: /, status: 200}
"""


def world(port: int) -> Any:
    """An account in which the new version answers at ``port``."""
    made = importlib.import_module("support.world").World()
    made.events = []
    made.listeners[1]["Port"] = port
    balancer = made.listeners[1]["LoadBalancerArn"]
    made.answers["elbv2", "describe_load_balancers"] = {
        "LoadBalancers": [{"LoadBalancerArn": balancer, "DNSName": "localhost"}]
    }
    made.answers["ssm", "get_parameter"] = {"Parameter": {"Value": PLAN}}
    return made


@dataclass(slots=True)
class Edge:
    """Answers by question; ``asked`` counts the calls of each operation."""

    world: Any
    answers: dict[bytes, bytes] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, headers: dict[str, str], body: bytes) -> bytes:
        """The answer to a question, as it goes over the wire."""
