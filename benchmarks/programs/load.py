"""Send a load to 127.0.0.1 and print its results as JSON; the argument is JSON too."""

from __future__ import annotations

import json
import resource
import sys

from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.http.address import AddressPolicy
from hookgate.traffic.options import Load, Ramp, RequestTemplate, Schedule
from hookgate.traffic.thresholds import percentiles
from hookgate.traffic.tool import TrafficTool


def main() -> None:
    """Send the load that the first argument describes."""
    options = json.loads(sys.argv[1])
    endpoint = Endpoint(
        scheme=options.get("scheme", "http"), address="127.0.0.1", port=options["port"]
    )
    ramp = Ramp(rate=options["rate"], to=options["rate"], seconds=options["seconds"])
    load = Load(
        templates=(RequestTemplate(name="home"),),
        schedule=Schedule(ramps=(ramp,), warm_up=options.get("warm_up", 0.0)),
        max_in_flight=options["connections"],
        http_version=options.get("http_version", "1.1"),
        closed_model=options.get("closed", False),
    )
    tool = TrafficTool(
        test=endpoint,
        production=None,
        deadline=Deadline.after(120),
        policy=AddressPolicy.of_command(),
        ca_file=options.get("verify"),
    )
    before = _cpu()
    result = tool(load, lambda _result: False)
    whole = result.test.total
    results = {
        "rate": result.rate,
        "sent": whole.sent,
        "dropped": whole.dropped,
        "failed": whole.failed,
        "cpu_us": (_cpu() - before) / max(whole.sent, 1) * 1e6,
        "latency_ms": percentiles(whole.latencies),
        "lateness_ms": percentiles(result.lateness),
    }
    print(json.dumps(results))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
