"""Options of ``traffic`` that a table cannot show."""

from __future__ import annotations

import pytest
from support.access_log import line, log

from hookgate.testing import check
from hookgate_validators.traffic import Traffic


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        pytest.param({}, 25, id="ten seconds at ten a second"),
        pytest.param({"duration": "60s", "timeout": "2s"}, 67, id="constant"),
        pytest.param({"warm_up": "20s"}, 45, id="warm-up"),
        pytest.param({"access_log": {"file": "a.log"}}, 55, id="a log to read"),
        pytest.param(
            {
                "stages": [
                    {"rate": "5/s", "to": "50/s", "duration": "30s"},
                    {"rate": "50/s", "duration": "1m"},
                ]
            },
            105,
            id="stages",
        ),
    ],
)
def test_worst_case(options, seconds):
    """The longest time follows from the options."""
    assert seconds == Traffic.model_validate(options).worst_case()


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        pytest.param({}, {"/a", "/b"}, id="alone"),
        pytest.param({"requests": [{"path": "/own"}]}, {"/a", "/b", "/own"}, id="mix"),
    ],
)
def test_recorded_requests(tmp_path, options, paths):
    """Recorded requests are sent, with the requests of the plan."""
    file, sent = tmp_path / "access.log", set()
    file.write_bytes(log(line("/a"), line("/b"), line("/order", method="POST")))

    def app(request):
        sent.add((request.path, request.method))
        return 200

    recorded = Traffic.model_validate({"access_log": {"file": str(file)}, **options})
    first, second, *_ = check(recorded, app=app)
    assert {(path, "GET") for path in paths} == sent
    log_counts = {"lines": 3, "usable": 2, "sampled": 2, "left_out": {"POST": 1}}
    assert log_counts.items() <= first.evidence.items()
    assert 100 == second.evidence["traffic"]["sent"]


@pytest.mark.parametrize("version", ["1.1", "2", 1.1, 2])
def test_http_version(version):
    """YAML's numbers 1.1 and 2 are versions too."""
    assert (
        str(version) == Traffic.model_validate({"http_version": version}).http_version
    )


def test_evidence():
    """The evidence has all counts and the metrics."""
    finding = check(Traffic(), replies=[200])[0]
    traffic = finding.evidence["traffic"]
    assert isinstance(traffic, dict)
    assert {
        "planned": 100,
        "sent": 100,
        "dropped": 0,
        "ended": 100,
        "failed": 0,
        "statuses": {"200": 100},
        "errors": {},
        "unidentified_responses": {},
        "rate": 10.0,
        "stopped_early": False,
    } == {
        name: value
        for name, value in traffic.items()
        if name not in {"latency_ms", "lateness_ms"}
    }
    assert {"p50", "p90", "p95", "p99", "p99.9", "mean"} == set(traffic["latency_ms"])
    assert {
        "Requests": "Count",
        "ErrorRate": "Percent",
        "LatencyP50": "Milliseconds",
        "LatencyP95": "Milliseconds",
        "LatencyP99": "Milliseconds",
    } == {each.name: each.unit for each in finding.metrics}
