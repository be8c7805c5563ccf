"""The packages in a container with the Python and the runtime client of Lambda."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_network
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import boto3
import pytest
from botocore.config import Config
from support.codedeploy_edge import Edge, codedeploy_edge
from support.importing import PROGRAM, modules
from support.sam import (
    ENVIRONMENT,
    MISSING,
    SAM,
    Packages,
    alone,
    build,
    sam,
)
from support.template import ROOT, of_type, template

IMAGE = "lambda-" + template()["Globals"]["Function"]["Runtime"].replace("n3", "n:3")
FUNCTIONS = of_type("AWS::Serverless::Function")
EVENTS = ROOT / "events"


def docker(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Docker's client."""
    return subprocess.run(  # noqa: S603 - docker by the path that was found
        [shutil.which("docker") or "docker", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )


def unable() -> str | None:
    """Why these tests cannot run here, or None."""
    if not SAM.exists():
        return MISSING
    if shutil.which("docker") is None:
        return "docker is not installed"
    if docker("info").returncode != 0:
        return "the Docker engine does not run: start dockerd"
    if docker("image", "inspect", IMAGE).returncode != 0:
        return f"there is no image {IMAGE}: run `make image`"
    return None


REASON = unable()
pytestmark = [
    pytest.mark.skipif(REASON is not None, reason=REASON or ""),
    pytest.mark.timeout(400),  # a first test waits for the build and its layers
]


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The packages, built for deployment."""
    return build(tmp_path_factory, "deployed")


@pytest.fixture
def one_at_a_time() -> Iterator[None]:
    """SAM CLI reuses the image's name, and takes a port after it found it free."""
    with alone(Path(gettempdir()) / "hookgate-sam-local.lock"):
        yield


@pytest.fixture
def edge() -> Iterator[Edge]:
    """CodeDeploy, at the address where containers reach this machine."""
    subnet = docker(
        *("network", "inspect", "bridge"),
        *("--format", "{{(index .IPAM.Config 0).Subnet}}"),
    )
    with codedeploy_edge(str(ip_network(subnet.stdout.strip())[1])) as server:
        yield server


@pytest.fixture
def options(packages: Packages, edge: Edge, tmp_path: Path) -> list[str]:
    """Options of `sam local` beside samconfig.toml: the artifacts, the AWS endpoint."""
    variables = tmp_path / "variables.json"
    variables.write_text(json.dumps({"Parameters": {"AWS_ENDPOINT_URL": edge.url}}))
    return [
        *("--config-file", str(ROOT / "samconfig.toml")),
        *("--template-file", str(packages.template)),
        *("--env-vars", str(variables)),
    ]


def invoke(function: str, event: str, options: list[str]) -> Any:
    """The function's answer to a file of events/, through `sam local invoke`."""
    done = sam("local", "invoke", function, "--event", EVENTS / event, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def reports(edge: Edge) -> list[dict[str, Any]]:
    """The reports that CodeDeploy took."""
    operation = "PutLifecycleEventHookExecutionStatus"
    return [call for call in edge.calls.queue if call["operation"] == operation]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handler_loads(packages: Packages, name: str) -> None:
    """A handler and all it may load come from the packages on Lambda's own Python."""
    python = IMAGE.replace("lambda-", "").replace(":", "")
    done = docker(
        *("run", "--rm", "--network", "none", "--workdir", "/"),
        *("--volume", f"{packages.folder / name}:/var/task:ro"),
        *("--volume", f"{packages.layer('RuntimeLayerX86')}:/opt/runtime:ro"),
        *("--volume", f"{packages.layer('ValidatorsLayer')}:/opt/validators:ro"),
        *(IMAGE, python, "-I", "-S", "-B", "-c", PROGRAM),
        *(FUNCTIONS[name]["Handler"], ",".join(modules(packages))),
        *("/var/task", "/opt/runtime", "/opt/validators", "/var/runtime"),
    )
    assert "" == done.stderr
    assert 0 == done.returncode


@pytest.mark.usefixtures("one_at_a_time")
def test_hook_reports(edge: Edge, options: list[str]) -> None:
    """A hook reports Failed for a deployment that it cannot find out about."""
    invoke("AfterAllowTestTraffic", "after_allow_test_traffic.json", options)
    expected = {
        "operation": "PutLifecycleEventHookExecutionStatus",
        "deploymentId": "d-75I7MBT7C",
        "lifecycleEventHookExecutionId": "hook-execution-3",
        "status": "Failed",
    }
    assert [expected] == reports(edge)


@pytest.mark.usefixtures("one_at_a_time")
def test_fallback_report(edge: Edge, options: list[str]) -> None:
    """The fallback report sends Failed for the hook in Lambda's record."""
    invoke("FallbackReport", "fallback_report.json", options)
    assert ["Failed"] == [each["status"] for each in reports(edge)]


@pytest.mark.usefixtures("one_at_a_time")
def test_wrong_event(options: list[str]) -> None:
    """A payload without the two ids is an error that names them."""
    answer = invoke("AfterInstall", "wrong.json", options)
    assert "InputError" == answer["errorType"]
    assert "DeploymentId" in answer["errorMessage"]


@contextmanager
def start_lambda(options: list[str], log: Path) -> Iterator[str]:
    """`sam local start-lambda`, as the address of its Invoke API."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with log.open("w") as output:
        server = subprocess.Popen(  # noqa: S603 - our own SAM CLI
            [SAM, "local", "start-lambda", "--port", str(port), *options],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            wait_until_open(port, server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def wait_until_open(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when ``port`` takes connections; the test's timeout bounds the wait."""
    while server.poll() is None:
        with closing(socket.socket()) as client:
            client.settimeout(0.2)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
    pytest.fail(f"sam local start-lambda ended: {log.read_text()}")


@pytest.mark.usefixtures("one_at_a_time")
def test_start_lambda(edge: Edge, options: list[str], tmp_path: Path) -> None:
    """An AWS client that invokes a hook through `sam local start-lambda` gets a report.

    CodeDeploy invokes the same API.
    """
    with start_lambda(options, tmp_path / "log") as url:
        client = boto3.client(
            "lambda",
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(read_timeout=300, retries={"total_max_attempts": 1}),
        )
        client.invoke(
            FunctionName="AfterInstall",
            Payload=(EVENTS / "after_install.json").read_bytes(),
        )
    assert ["Failed"] == [each["status"] for each in reports(edge)]
