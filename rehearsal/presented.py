"""The test listener with another certificate, for the time of a deployment."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal.balancer import Balancer
from rehearsal.scenario.deployments import DeploymentFile
from rehearsal.scenario.scenario import Scenario
from rehearsal.stage import Stage

PEM_END = "-----END CERTIFICATE-----"


@contextmanager
def certificate_presented(
    stage: Stage, balancer: Balancer, scenario: Scenario, deployment: DeploymentFile
) -> Iterator[None]:
    """Let the test listener present what a deployment's faults say, until the end."""
    other = deployment.faults.certificate
    if other is None or balancer.test is None:
        yield
        return
    elbv2, arn = stage.client("elbv2"), balancer.test.arn
    told = elbv2.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    own = [{"CertificateArn": e["CertificateArn"]} for e in told["Certificates"]]
    chain, key = scenario.folder / other.chain, scenario.folder / other.key
    wrong = {"CertificateArn": _uploaded(stage, chain, key)}
    elbv2.modify_listener(ListenerArn=arn, Certificates=[wrong])
    try:
        yield
    finally:
        elbv2.modify_listener(ListenerArn=arn, Certificates=own)


def _uploaded(stage: Stage, chain: Path, key: Path) -> str:
    """Give a certificate to IAM; ACM takes none that has expired meanwhile."""
    leaf, mark, issuers = chain.read_text("ascii").partition(PEM_END)
    rest = {"CertificateChain": issuers.strip()} if issuers.strip() else {}
    answer = stage.client("iam").upload_server_certificate(
        ServerCertificateName=f"fault-{uuid.uuid4()}",
        CertificateBody=leaf + mark,
        PrivateKey=key.read_text("ascii"),
        **rest,
    )
    arn: str = answer["ServerCertificateMetadata"]["Arn"]
    return arn
