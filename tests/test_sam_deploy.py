"""`sam deploy`, as samconfig.toml sets it up, up to what CloudFormation is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from support.answering import answering
from support.sam import MISSING, SAM, sam
from support.template import ROOT, template

pytestmark = [
    pytest.mark.skipif(not SAM.exists(), reason=MISSING),
    pytest.mark.timeout(300),
]

#: The stack with which SAM keeps its bucket, as AWS tells of it.
MANAGED = {
    "StackName": "aws-sam-cli-managed-default",
    "StackStatus": "CREATE_COMPLETE",
    "CreationTime": "2026-11-21T12:00:00Z",
    "Tags": [{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
    "Outputs": [{"OutputKey": "SourceBucket", "OutputValue": "sam-bucket"}],
}
#: Hookgate's own, which was deployed before.
DEPLOYED = {**MANAGED, "StackName": "hookgate", "Tags": [], "Outputs": []}
STACKS = {each["StackName"]: each for each in (MANAGED, DEPLOYED)}
#: With this CloudFormation says that there is nothing to do, which ends a deployment.
UNCHANGED = {
    "Status": "FAILED",
    "StatusReason": "The submitted information didn't contain changes.",
}


@dataclass
class Received:
    """What S3 and CloudFormation received."""

    objects: dict[str, bytes] = field(default_factory=dict)
    change_sets: list[dict[str, str]] = field(default_factory=list)


class Account(ThreadingHTTPServer):
    """S3 that takes everything, and CloudFormation that knows two stacks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received = Received()

    def answer(self, asked: dict[str, str]) -> Any:
        """CloudFormation's answer."""
        match asked["Action"]:
            case "DescribeStacks":
                return {"Stacks": [STACKS[asked["StackName"]]]}
            case "CreateChangeSet":
                self.received.change_sets.append(asked)
                arn = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/c/1"
                return {"Id": arn, "StackId": "arn:stack"}
            case "DescribeChangeSet":
                return UNCHANGED
            case "GetTemplateSummary":
                names = template()["Parameters"]
                return {"Parameters": [{"ParameterKey": name} for name in names]}
        raise NotImplementedError(asked["Action"])


class _Handler(BaseHTTPRequestHandler):
    server: Account
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._send(404, b"")

    def do_PUT(self) -> None:
        size = int(self.headers["Content-Length"])
        self.server.received.objects[self.path.partition("?")[0]] = self.rfile.read(
            size
        )
        self._send(200, b"")

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {key: values[0] for key, values in parse_qs(form).items()}
        answer = self.server.answer(asked)
        model = get_service_model("cloudformation")
        serializer = get_serializer_class("cloudformation", "query")
        reply = serializer(model.operation_model(asked["Action"])).serialize(answer)
        self._send(200, reply["body"].encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", '"0"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on standard error."""


@pytest.fixture(scope="module")
def received() -> Received:
    """What an account receives from `sam deploy` of the sources, without a prompt."""
    with answering(Account()) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        done = sam(
            *("deploy", "--no-confirm-changeset"),
            *("--template-file", ROOT / "template.yaml"),
            environ={"AWS_ENDPOINT_URL": url},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return server.received


def test_one_change_set(received: Received) -> None:
    """The stack has the name, and the permissions, that samconfig.toml sets."""
    (asked,) = received.change_sets
    assert ("hookgate", "CAPABILITY_IAM", "UPDATE") == (
        asked["StackName"],
        asked["Capabilities.member.1"],
        asked["ChangeSetType"],
    )


def test_packages_are_uploaded(received: Received) -> None:
    """Every function and layer has its code below the prefix of SAM's bucket."""
    (asked,) = received.change_sets
    name = asked["TemplateURL"].rpartition("/")[2]
    packaged = yaml.safe_load(received.objects[f"/sam-bucket/hookgate/{name}"])
    code = {
        each["Properties"].get("CodeUri") or each["Properties"].get("ContentUri")
        for each in packaged["Resources"].values()
        if each["Type"].startswith("AWS::Serverless::")
    }
    packages = {f"s3:/{path}" for path in received.objects if not path.endswith(name)}
    assert code == packages
