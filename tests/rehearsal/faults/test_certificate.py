"""A test listener that presents a wrong certificate while a version is deployed."""

from datetime import UTC, datetime, timedelta

import trustme
import yaml
from support.command import a_storefront

from hookgate_rehearsal.record import reasons
from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario

HOST = "shop.example"
WRONG = ("expired", "another")
SCENARIO = """
version: 1
service: {name: storefront, desired_count: 1}
load_balancer:
  test: {protocol: HTTPS}
  certificate: {chain: good.pem, key: good.key}
  health_check: {path: /health}
deployment_group: {application: storefront, name: production}
plan: plan.yaml
speed: 60
traffic: {rate: 10/s}
images:
  shop:1: {command: [python, app.py]}
starts_with: shop:1
deployments:
"""


def write(folder, name, issued):
    """A certificate as the files of a scenario."""
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    (folder / f"{name}.pem").write_bytes(chain)
    issued.private_key_pem.write_to_path(folder / f"{name}.key")


def deployment(name):
    """A deployment under a certificate, and how it must end."""
    if name not in WRONG:
        return {"name": name, "image": "shop:1", "expect": {"status": "Succeeded"}}
    return {
        "name": name,
        "image": "shop:1",
        "faults": {"certificate": {"chain": f"{name}.pem", "key": f"{name}.key"}},
        "expect": {
            "status": "Failed",
            "event": "AfterAllowTestTraffic",
            "rollback": "Succeeded",
        },
    }


def test_wrong_certificate_is_refused(tmp_path):
    """An expired one and another name's stop a version that goes live with its own."""
    file = a_storefront(tmp_path)
    authority, yesterday = trustme.CA(), datetime.now(UTC) - timedelta(days=1)
    write(tmp_path, "good", authority.issue_cert(HOST))
    expired = authority.issue_cert(HOST, not_after=yesterday)
    write(tmp_path, "expired", expired)
    write(tmp_path, "another", authority.issue_cert("other.example"))
    trusted = {"ca": authority.cert_pem.bytes().decode(), "server_name": HOST}
    step = {"use": "tls", "with": {"tls": trusted}}
    plan = {"version": 1, "events": {"AfterAllowTestTraffic": [step]}}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    ran = [deployment(name) for name in (*WRONG, "its own")]
    file.write_text(SCENARIO + yaml.safe_dump(ran))

    records = Rehearsal(scenario=read_scenario(file), observer=RehearsalObserver()).run(
        lambda _: True
    )

    assert [(each["name"], []) for each in ran] == [
        (each["name"], each["surprises"]) for each in records
    ]
    expired, another = (" ".join(reasons(each)) for each in records[:2])
    assert "has expired" in expired
    assert "not valid for 'shop.example'" in another
