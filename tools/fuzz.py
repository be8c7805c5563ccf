"""Send changed inputs to every reader, and find those with an undocumented result.

Run it with ``make fuzz``. Each reader runs in a process of its own under atheris, which
changes the seeds and keeps inputs that reach new code. A run fails if a reader raises
an exception that it does not document, takes longer than ``--timeout`` for an input,
or needs more than ``--memory``. The input is then in the current folder.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = ["hookgate", "hookgate_validators", "hookgate_rehearsal"]

#: Readers of YAML, JSON included.
TREES = {"event", "plan", "appspec", "scenario", "openapi"}

#: What a changed node may be: each type, bounds, and text that means something.
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**63,
        10**400,
        0.5,
        float("nan"),
        float("inf"),
        "",
        [],
        {},
    ),
    *(
        "${secret.X}",
        "${green.image.tag}",
        "${",
        "0s",
        "10s",
        "-5s",
        "999999999h",
        "5%",
        "1/s",
    ),
    *(
        "< 300ms",
        "$.a[?@.b == 1]",
        "$..*",
        "(a+)+$",
        "//a[",
        "li >",
        "http",
        "scenario",
    ),
    *(
        "traffic",
        "openapi",
        "../../etc/passwd",
        "http://x:99999/",
        "[::1]",
        "1e400",
        "~",
    ),
    *("GET", "2xx", "\x00", "\u202e", "a" * 5000, "arn:aws:ecs:a:1:service/x"),
)
MOST_NODES = 2000

#: A reader: takes an input, and lets no documented error out.
Reader = Callable[[bytes], None]


def event() -> Reader:
    """The payload of an invocation."""
    from hookgate.context import HookEvent
    from hookgate.errors import InputError

    def read(data: bytes) -> None:
        try:
            payload = json.loads(data)
        except (ValueError, RecursionError):
            return  # Lambda parses the payload
        try:
            HookEvent.parse(payload)
        except InputError:
            return

    return read


def plan() -> Reader:
    """A plan, with the built-in validators."""
    from hookgate.errors import PlanError
    from hookgate.plan import read_plan
    from hookgate.registry import resolve

    def read(data: bytes) -> None:
        try:
            read_plan(data, "plan.yaml", resolve, deployed=False)
        except PlanError:
            return

    return read


def appspec() -> Reader:
    """An AppSpec, as the hooks and as the emulator read it."""
    from hookgate.aws.appspec import parse_appspec
    from hookgate.errors import CannotMeasure
    from hookgate_rehearsal.codedeploy.appspec import AppSpecError, parse_app_spec

    def read(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        try:
            parse_appspec(text)
        except CannotMeasure:
            pass
        try:
            parse_app_spec(text)
        except AppSpecError:
            pass

    return read


def access_log() -> Reader:
    """An access log of a load balancer, plain or gzip."""
    import io

    from hookgate.deadline import Deadline, SystemClock
    from hookgate.errors import CannotMeasure
    from hookgate.traffic.access_log import LogSample, read_log

    def read(data: bytes) -> None:
        sample = LogSample(size=10, methods=(b"GET", b"HEAD"), statuses=(b"2", b"3"))
        deadline = Deadline.after(10, SystemClock())
        try:
            read_log(io.BufferedReader(io.BytesIO(data)), sample, "log", deadline)
        except CannotMeasure:
            return
        assert len(sample.kept) <= sample.usable <= sample.lines

    return read


#: One assertion of each kind that reads a body or a header.
ASSERTIONS: tuple[dict[str, Any], ...] = (
    {"jsonpath": "$..price", "each": {"above": 0}},
    {"jsonpath": "$.items[?@.id > 1]", "filter": ["count"], "equals": 2},
    {"xpath": "//item[@id]/text()", "contains": "tea"},
    {"css": "ul > li a", "attribute": "href", "exists": True},
    {"body": {"matches": "^a+b"}},
    {"body": {"filter": ["to_date"], "above": "2026-01-01"}},
    {"header": "Content-Type", "equals": "text/html"},
    {"cookie": "session", "attribute": "SameSite", "equals": "Lax"},
)


def response() -> Reader:
    """A response: its head as libcurl gives it, its encoding, and its body."""
    from pydantic import TypeAdapter, ValidationError

    from hookgate.assertions import Assertion
    from hookgate.http.exchange import BodyError, Decoder, IdentityCheck, final_fields
    from hookgate.testing import a_reply

    adapter = TypeAdapter(Assertion)
    assertions = []
    for each in ASSERTIONS:
        try:
            assertions.append(adapter.validate_python(each))
        except ValidationError as error:
            raise SystemExit(f"{each}: {error}") from None
    identity = IdentityCheck.of(("X-Version", "2"), wanted=True)
    assert identity is not None

    def read(data: bytes) -> None:
        text, _, body = data.partition(b"\r\n\r\n")
        head = [line + b"\r\n" for line in text.split(b"\r\n")] + [b"\r\n"]
        identity.unexpected(head)
        fields = final_fields(head)
        try:
            decoder = Decoder.of(fields, 1024 * 1024)
            body = decoder.take(body)
            decoder.end()
        except BodyError:
            return
        cookies = tuple(v for name, v in fields if name.lower() == "set-cookie")
        reply = a_reply(body=body, headers=dict(fields), cookies=cookies)
        for each in assertions:
            each.finding(reply)

    return read


def scenario() -> Reader:
    """A scenario of a rehearsal."""
    from hookgate.errors import InputError
    from hookgate_rehearsal.scenario.reader import read_scenario

    file = Path(tempfile.mkdtemp(prefix="hookgate-fuzz-")) / "scenario.yaml"

    def read(data: bytes) -> None:
        file.write_bytes(data)
        try:
            read_scenario(file, offline=True)
        except InputError:
            return

    return read


def openapi() -> Reader:
    """An OpenAPI document, with a response to its first operations."""
    from hookgate.errors import CannotMeasure
    from hookgate.testing import a_reply
    from hookgate_validators.openapi.document import OpenApiDocument

    reply = a_reply(body='{"id": 1}', headers={"Content-Type": "application/json"})

    def read(data: bytes) -> None:
        try:
            document = OpenApiDocument(data)
            for operation in list(document.operations())[:3]:
                if not operation.why_not:
                    list(document.faults(operation, reply))
        except CannotMeasure:
            return

    return read


def broken() -> Reader:
    """A reader with a defect, which shows that a run can fail."""

    def read(data: bytes) -> None:
        if data:
            raise RuntimeError("a defect")

    return read


READERS: dict[str, Callable[[], Reader]] = {
    each.__name__: each
    for each in (event, plan, appspec, access_log, response, scenario, openapi)
}

_LOG = (
    b"http 2026-11-27T10:00:00.1Z app/shop/1 192.0.2.1:1 10.0.0.1:80 0.0 0.1 0.0 200 "
    b'200 34 366 "GET http://shop.example:80/?q=tea HTTP/1.1" "curl/8" - - arn "Root" '
    b'"-" "-" 0 2026-11-27T10:00:00.0Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"\n'
)
_APPSPEC = b"""version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:2
        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}
Hooks:
  - AfterInstall: CodeDeployHook_after
"""
_GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
_RESPONSES = (
    (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Version: 2\r\n\r\n"
        b'{"items": [{"id": 1, "price": 7.5}, {"id": 2, "price": 1e3}]}'
    ),
    (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: session=1\r\n\r\n"
        b"<ul><li><a href='/x'>tea</a></ul>"
    ),
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<a><item id='1'>tea</item></a>",
    _GZIP + gzip.compress(b"[1]", mtime=0),
)
_OPENAPI = b"""openapi: 3.1.0
info: {title: shop, version: "1"}
paths:
  /items/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}, example: 1}
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema: {type: object, required: [id], properties: {id: {type: integer}}}
"""


def seeds(name: str) -> Iterator[bytes]:
    """Valid inputs of a reader, to change."""
    files: Iterable[Path] = ()
    match name:
        case "event":
            files = (ROOT / "events").glob("*.json")
        case "plan":
            files = [
                *ROOT.glob("examples/**/*.yaml"),
                *ROOT.glob("tests/**/every-key.yaml"),
            ]
        case "scenario":
            files = ROOT.glob("examples/**/*.yaml")
        case "appspec":
            yield _APPSPEC
        case "access_log":
            yield _LOG
        case "response":
            yield from _RESPONSES
        case "openapi":
            yield _OPENAPI
    for file in sorted(files):
        yield file.read_bytes()


def fuzz(name: str, options: list[str]) -> None:
    """Run a reader in this process until an input fails or all were read.

    Args:
        name: The reader.
        options: Options of libFuzzer.
    """
    import atheris

    with atheris.instrument_imports(include=PACKAGES):
        read = {**READERS, "broken": broken}[name]()
        for seed in seeds(name):
            read(seed)  # imports what is imported late

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        """Change the tree of every other input in YAML or JSON, else its bytes."""
        changed = changed_tree(data, random.Random(seed)) if seed % 2 else None  # noqa: S311 - no secret
        return changed[:most] if changed else bytes(atheris.Mutate(data, most))

    mutator = {"custom_mutator": mutate} if name in TREES else {}
    atheris.Setup([sys.argv[0], *options], read, **mutator)
    atheris.Fuzz()


def changed_tree(data: bytes, chance: random.Random) -> bytes | None:
    """A document with one to three changed nodes; None if it is not YAML."""
    import yaml

    try:
        tree = yaml.load(data, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    for _ in range(chance.randint(1, 3)):
        nodes = list(_nodes(tree))
        if nodes:
            parent, key = chance.choice(nodes)
            _change(parent, key, *chance.choice(nodes), chance)
    try:
        if data.lstrip().startswith(b"{"):
            return json.dumps(tree).encode()
        text: str = yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True)
        return text.encode()
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None


def _change(
    parent: Any, key: Any, other: Any, other_key: Any, chance: random.Random
) -> None:
    """Change one node below a parent, perhaps by another node."""
    match chance.randrange(5):
        case 0:
            parent[key] = chance.choice(VALUES)
        case 1:
            parent[key] = copy.deepcopy(other[other_key])
        case 2:
            del parent[key]
        case 3 if isinstance(parent, dict):
            parent[str(other_key)] = parent.pop(key)
        case _ if isinstance(parent, list):
            parent.insert(0, copy.deepcopy(other[other_key]))


def _nodes(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place below a tree, as the node above it and the key or index."""
    todo = [tree]
    seen = 0
    while todo and seen < MOST_NODES:
        node = todo.pop()
        keys: Iterable[Any] = ()
        if isinstance(node, dict):
            keys = list(node)
        elif isinstance(node, list):
            keys = range(len(node))
        for key in keys:
            seen += 1
            yield node, key
            todo.append(node[key])


def run(
    name: str, *, runs: int, timeout: int, memory: int, failures: Path
) -> tuple[int, str]:
    """Run a reader in a new process.

    Args:
        name: The reader.
        runs: The number of inputs.
        timeout: The maximum seconds for one input.
        memory: The maximum memory of the process in MB.
        failures: The folder for an input that fails.

    Returns:
        The exit code, 0 if no input failed, and the output.
    """
    with tempfile.TemporaryDirectory(prefix="hookgate-fuzz-") as folder:
        for number, seed in enumerate(seeds(name)):
            (Path(folder) / str(number)).write_bytes(seed)
        done = subprocess.run(  # noqa: S603 - this program
            [
                *(sys.executable, __file__, "--in-process", name, folder),
                *(f"-runs={runs}", f"-timeout={timeout}", f"-rss_limit_mb={memory}"),
                *("-max_len=16384", "-seed=2718", "-print_final_stats=1"),
                f"-artifact_prefix={failures / name}-",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return done.returncode, done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Run the readers and print a line for each; 1 if one failed."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["--in-process"]:
        fuzz(given[1], given[2:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(READERS))
    parser.add_argument("--runs", type=int, default=150_000, help="inputs for each")
    parser.add_argument("--timeout", type=int, default=1, help="seconds for an input")
    parser.add_argument("--memory", type=int, default=600, help="MB for a reader")
    options = parser.parse_args(given)
    failed = False
    for name in options.readers or READERS:
        code, output = run(
            name,
            runs=options.runs,
            timeout=options.timeout,
            memory=options.memory,
            failures=Path.cwd(),
        )
        stats = {
            key.removeprefix("stat::"): value.strip()
            for key, _, value in (line.partition(":") for line in _stats(output))
        }
        print(
            f"{name:<12} {'passed' if code == 0 else 'FAILED'}  "
            f"{stats.get('number_of_executed_units', '?')} inputs, at most "
            f"{stats.get('slowest_unit_time_sec', '?')} s, "
            f"{stats.get('peak_rss_mb', '?')} MB",
            flush=True,
        )
        if code:
            failed = True
            lines = (x for x in output.splitlines() if not x.startswith(("#", "INFO")))
            print("\n".join([*lines][-40:]), flush=True)
    return int(failed)


def _stats(output: str) -> Iterator[str]:
    for line in output.splitlines():
        if line.startswith("stat::"):
            yield line.removeprefix("stat::")


if __name__ == "__main__":
    sys.exit(main())
