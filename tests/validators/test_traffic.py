"""Options of ``traffic`` that a case table does not show."""

from __future__ import annotations

import pytest
from support.access_log import line, log

from hookgate.testing import check
from validators.traffic import Traffic


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
    """What customers asked for is asked for again, with what the plan adds."""
    file, asked = tmp_path / "access.log", set()
    file.write_bytes(log(line("/a"), line("/b"), line("/order", method="POST")))

    def app(request):
        asked.add((request.path, request.method))
        return 200

    recorded = Traffic.model_validate({"access_log": {"file": str(file)}, **options})
    first, second, *_ = check(recorded, app=app)
    assert {(path, "GET") for path in paths} == asked
    assert "2 of 2 recorded requests are sent again, from 3 lines" in first.summary
    assert {"POST": 1} == first.evidence["left_out"]
    assert "100 of 100 requests sent" in second.summary


@pytest.mark.parametrize("version", ["1.1", "2", 1.1, 2])
def test_http_version(version):
    """YAML's numbers 1.1 and 2 are versions too."""
    assert (
        str(version) == Traffic.model_validate({"http_version": version}).http_version
    )


def test_evidence_judges_again():
    """Everything that was counted is in the record, and the metrics with it."""
    finding = check(Traffic(), replies=[200])[0]
    traffic, metrics = finding.evidence["traffic"], finding.evidence["metrics"]
    assert isinstance(traffic, dict)
    assert {
        "planned": 100,
        "sent": 100,
        "dropped": 0,
        "ended": 100,
        "failed": 0,
        "statuses": {"200": 100},
        "errors": {},
        "not_green": {},
        "rate": 10.0,
        "stopped_early": False,
    } == {
        name: value
        for name, value in traffic.items()
        if name not in {"latency_ms", "lateness_ms"}
    }
    assert {"p50", "p90", "p95", "p99", "p99.9", "mean"} == set(traffic["latency_ms"])
    assert isinstance(metrics, dict)
    assert {"Requests", "ErrorRate", "LatencyP50", "LatencyP95", "LatencyP99"} == set(
        metrics
    )
