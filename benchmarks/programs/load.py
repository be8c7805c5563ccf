"""Load 127.0.0.1 and print what came of it as JSON; the arguments are a JSON too."""

from __future__ import annotations

import json
import resource
import sys

from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.http.address import AddressPolicy
from hookgate.traffic.flight import Target
from hookgate.traffic.options import Load, Pace, Shot, Stage
from hookgate.traffic.terms import achieved, percentiles
from hookgate.traffic.tool import TrafficTool


def main() -> None:
    """Send the load that the first argument describes."""
    asked = json.loads(sys.argv[1])
    endpoint = Endpoint(
        scheme=asked.get("scheme", "http"), address="127.0.0.1", port=asked["port"]
    )
    stage = Stage(rate=asked["rate"], to=asked["rate"], seconds=asked["seconds"])
    load = Load(
        shots=(Shot(name="home"),),
        pace=Pace(stages=(stage,), warm_up=asked.get("warm_up", 0.0)),
        max_in_flight=asked["connections"],
        http_version=asked.get("http_version", "1.1"),
        closed=asked.get("closed", False),
    )
    target = Target(
        endpoint=endpoint,
        policy=AddressPolicy.of_command(),
        verify=asked.get("verify"),
    )
    tool = TrafficTool(test=target, production="none", deadline=Deadline.after(120))
    before = _cpu()
    result = tool(load, lambda _result: False)
    whole = result.test.whole
    told = {
        "rate": achieved(whole, result),
        "sent": whole.sent,
        "dropped": whole.dropped,
        "failed": whole.failed,
        "cpu_us": (_cpu() - before) / max(whole.sent, 1) * 1e6,
        "latency_ms": percentiles(whole.latencies),
        "lateness_ms": percentiles(result.lateness),
    }
    print(json.dumps(told))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
