"""HTTPS and TLS listeners, met by a real TLS client."""

import socket
import ssl
import sys

import pytest
import trustme
from botocore.exceptions import ClientError
from support.emulator_setup import HERE, SETTINGS, fetch, free_port, wait_for

from hookgate_rehearsal.data_plane.processes import TaskProcess
from hookgate_rehearsal.emulator import Emulator

AUTHORITY = trustme.CA()
UNKNOWN = "arn:aws:acm:us-east-1:123456789012:certificate/unknown"
FIXED = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "hello"},
}


@pytest.fixture(name="emulator", scope="module")
def _emulator():
    with Emulator(images={}, settings=SETTINGS) as emulator:
        yield emulator


@pytest.fixture(name="elbv2", scope="module")
def _elbv2(emulator):
    return emulator.client("elbv2")


def in_acm(emulator, name):
    """A certificate for a name, imported into ACM; its ARN."""
    issued = AUTHORITY.issue_cert(name)
    return emulator.client("acm").import_certificate(
        Certificate=issued.cert_chain_pems[0].bytes(),
        PrivateKey=issued.private_key_pem.bytes(),
    )["CertificateArn"]


def in_iam(emulator, name):
    """A certificate for a name, uploaded to IAM; its ARN."""
    issued = AUTHORITY.issue_cert(name)
    return emulator.client("iam").upload_server_certificate(
        ServerCertificateName=f"certificate-{free_port()}",
        CertificateBody=issued.cert_chain_pems[0].bytes().decode(),
        PrivateKey=issued.private_key_pem.bytes().decode(),
    )["ServerCertificateMetadata"]["Arn"]


def listener(emulator, protocol, certificate, action=FIXED, **settings):
    """A listener on a load balancer of its own."""
    elbv2 = emulator.client("elbv2")
    balancer = elbv2.create_load_balancer(
        Name=f"lb-{free_port()}",
        Subnets=list(emulator.subnets[:2]),
        Type="application" if protocol.startswith("HTTP") else "network",
    )["LoadBalancers"][0]["LoadBalancerArn"]
    given = {"Certificates": [{"CertificateArn": certificate}]} if certificate else {}
    made = elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol=protocol,
        DefaultActions=[action],
        **{"Port": free_port()} | given | settings,
    )
    return made["Listeners"][0]


def ask(port, name):
    """What a client that trusts the authority gets from a host of that name."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        connection.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            return answer.read().decode().rpartition("\r\n\r\n")[2]


@pytest.mark.parametrize("kept_in", [in_acm, in_iam], ids=["ACM", "IAM"])
def test_an_https_listener_presents_its_certificate(emulator, kept_in):
    """A client that checks the name is answered; by another name it hangs up."""
    made = listener(emulator, "HTTPS", kept_in(emulator, "shop.example"))

    assert "hello" == ask(made["Port"], "shop.example")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        ask(made["Port"], "tea.example")


def test_a_network_load_balancer_ends_tls(emulator, elbv2):
    """A TLS listener decrypts and forwards the connection to the task."""
    command = (sys.executable, str(HERE / "tiny_app.py"))
    task = TaskProcess(command, env={"VERSION": "task"})
    group = elbv2.create_target_group(
        Name=f"group-{free_port()}",
        Protocol="TCP",
        Port=80,
        VpcId=emulator.vpc,
        TargetType="ip",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = {"Type": "forward", "TargetGroupArn": group}
    made = listener(emulator, "TLS", in_acm(emulator, "shop.example"), forward)
    elbv2.register_targets(
        TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": task.port}]
    )

    def state():
        found = elbv2.describe_target_health(TargetGroupArn=group)
        return found["TargetHealthDescriptions"][0]["TargetHealth"]["State"]

    try:
        wait_for(lambda: state() == "healthy")
        assert "task" == ask(made["Port"], "shop.example")
    finally:
        task.stop(0)


def test_a_certificate_can_be_exchanged(emulator, elbv2):
    """After ModifyListener new connections meet the new certificate."""
    made = listener(emulator, "HTTPS", in_acm(emulator, "old.example"))

    elbv2.modify_listener(
        ListenerArn=made["ListenerArn"],
        Certificates=[{"CertificateArn": in_acm(emulator, "new.example")}],
    )

    assert "hello" == ask(made["Port"], "new.example")


def test_a_listener_has_several_certificates(emulator, elbv2):
    """A client that sends the name of an added one gets it, until it is removed."""
    made = listener(emulator, "HTTPS", in_acm(emulator, "shop.example"))
    more = {
        "ListenerArn": made["ListenerArn"],
        "Certificates": [{"CertificateArn": in_iam(emulator, "tea.example")}],
    }
    elbv2.add_listener_certificates(**more)

    assert "hello" == ask(made["Port"], "tea.example")
    assert "hello" == ask(made["Port"], "shop.example")
    elbv2.remove_listener_certificates(**more)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        ask(made["Port"], "tea.example")


@pytest.mark.parametrize(
    ("protocol", "certificate", "message"),
    [
        pytest.param("HTTPS", UNKNOWN, "was not found", id="unknown to ACM"),
        pytest.param(
            "TLS",
            "arn:aws:iam::123456789012:server-certificate/x",
            "server-certificate/x' not found",
            id="unknown to IAM",
        ),
        pytest.param("HTTPS", None, "must be specified", id="none"),
    ],
)
def test_a_listener_without_its_certificate_is_refused(
    emulator, elbv2, protocol, certificate, message
):
    """CreateListener fails with ELBv2's error, and the emulator goes on."""
    group = elbv2.create_target_group(
        Name=f"group-{free_port()}", Protocol="TCP", Port=80, VpcId=emulator.vpc
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = {"Type": "forward", "TargetGroupArn": group}
    action = FIXED if protocol == "HTTPS" else forward
    with pytest.raises(ClientError, match=message) as refused:
        listener(emulator, protocol, certificate, action)

    assert "CertificateNotFound" == refused.value.response["Error"]["Code"]
    assert elbv2.describe_load_balancers()["LoadBalancers"]


def test_a_change_that_cannot_be_made_changes_nothing(emulator, elbv2):
    """A listener that cannot move to a taken port stays where it is."""
    made = listener(emulator, "HTTP", None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ClientError, match="cannot listen on"):
            elbv2.modify_listener(ListenerArn=made["ListenerArn"], Port=port)

    described = elbv2.describe_listeners(ListenerArns=[made["ListenerArn"]])

    assert made["Port"] == described["Listeners"][0]["Port"]
    assert "hello" == fetch(made["Port"])
