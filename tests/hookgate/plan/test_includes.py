"""Files beside a plan: what may be read, filled in and reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.coded import raises

from hookgate import File, Validator
from hookgate.errors import PlanError
from hookgate.model import Finding, LifecycleEvent
from hookgate.plan import Plan, beside, read_plan
from hookgate.registry import resolve
from hookgate.testing import a_file, check
from hookgate_validators.scenario.run import ScriptRun, Session
from hookgate_validators.scenario.steps import ScenarioItem, Script

EVENT = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
HEAD = """version: 1
events:
  AfterAllowTestTraffic:
    - use: scenario
      with:
        steps:
"""
HTTP = """version: 1
events:
  AfterAllowTestTraffic:
    - use: http
      with: {{body: {{file: {}}}}}
"""


@pytest.fixture
def read(tmp_path):
    """Write files and read a plan with the steps given beside them."""

    def read(steps: str, **files: str | bytes) -> Plan:
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
        plan = tmp_path / "plan.yaml"
        plan.write_text(
            HEAD + "".join(f"          {each}\n" for each in steps.split("\n"))
        )
        return read_plan(plan.read_bytes(), "plan.yaml", resolve, beside(plan))

    return read


def asked(plan: Plan) -> list[tuple[str, bytes | None]]:
    """What the plan's scenario asks."""
    requests = []

    def app(request):
        requests.append((request.path, request.body))
        return 200

    check(
        plan.steps(EVENT)[0].build(lambda text: text.replace("${event}", "now")),
        app=app,
    )
    return requests


def test_included_steps(read):
    """Steps of other files run in their place, and ${…} is filled in in them."""
    plan = read(
        "- {path: /a}\n- {include: more/login.yaml}\n- {path: /d}",
        more__login_yaml="steps: [{path: '/b?at=${event}'}, {include: c.yaml}]",
        c_yaml="steps: [{path: /c}]",
    )
    assert ["/a", "/b?at=now", "/c", "/d"] == [path for path, _ in asked(plan)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("rows.csv", 'id,name\n1,"green, mild"\n2,\n', id="CSV"),
        pytest.param(
            "rows.csv", b'\xef\xbb\xbfid,name\r\n1,"green, mild"\r\n2,\r\n', id="Excel"
        ),
        pytest.param(
            "rows.json",
            '[{"id": 1, "name": "green, mild"}, {"id": 2, "name": ""}]',
            id="JSON",
        ),
    ],
)
def test_rows(read, name, content):
    """Steps are repeated for each row of a file."""
    step = "steps: [{path: '/t/{{row.id}}', body: '{{row.name}}'}]"
    plan = read(
        f"- {{for_each: {{file: {name}}}, {step}}}", **{name.replace(".", "_"): content}
    )
    assert [("/t/1", b"green, mild"), ("/t/2", b"")] == asked(plan)


def test_bodies(read):
    """A file's bytes are sent unchanged, whatever they look like."""
    plan = read("- {path: /, body: {file: a.bin}}", a_bin=b"\x00\xff${event}{{row}}")
    assert [("/", b"\x00\xff${event}{{row}}")] == asked(plan)


def test_file_in_json_is_text(read):
    """A key that is called file in JSON to send names no file."""
    plan = read("- {path: /, json: {file: a, body: {file: b}}, headers: {file: c}}")
    assert [("/", b'{"file": "a", "body": {"file": "b"}}')] == asked(plan)


WRONG = [
    pytest.param(
        "- {include: a.yaml}",
        {},
        "plan.yaml:7:23: steps[0].include: there is no file a.yaml beside the plan",
        id="missing",
    ),
    pytest.param(
        "- {include: ../a.yaml}",
        {},
        "HG-INCLUDE-NAME",
        id="dots",
    ),
    pytest.param(
        "- {include: /etc/passwd}", {}, "is not a file beside the plan", id="absolute"
    ),
    pytest.param(
        "- {include: a.yaml}",
        {"a_yaml": "steps: [{path: x}]"},
        "a.yaml:1:16: steps[0].path: expected a path that begins with /",
        id="wrong step",
    ),
    pytest.param(
        "- {include: a.yaml}",
        {"a_yaml": "steps: [{path: '/${x}'}]"},
        "a.yaml:1:16: unknown placeholder",
        id="placeholder",
    ),
    pytest.param(
        "- {include: a.yaml}",
        {"a_yaml": "stepps: []"},
        "remove 'stepps' [HG-INCLUDE-CONTENT]",
        id="other key",
    ),
    pytest.param(
        "- {include: a.yaml}",
        {"a_yaml": "steps: []"},
        "a.yaml:1:8: steps: expected 1 or more of them",
        id="no step",
    ),
    pytest.param(
        "- {include: a.yaml}",
        {"a_yaml": ""},
        "HG-YAML-EMPTY",
        id="empty",
    ),
    pytest.param(
        "- {include: a.yaml}", {"a_yaml": "steps: ["}, "a.yaml:", id="no YAML"
    ),
    pytest.param(
        "- {include: a.yaml}",
        {"a_yaml": "steps: [{include: a.yaml}]"},
        "[HG-INCLUDE-CYCLE]",
        id="cycle",
    ),
    pytest.param(
        "- {include: a.yaml, steps: [{path: /}]}",
        {"a_yaml": "steps: [{path: /}]"},
        "give include or steps",
        id="both",
    ),
    pytest.param(
        "- {path: /, body: {file: b}}",
        {"b": b"x" * 1100000},
        "b is larger than 1024 KiB",
        id="large",
    ),
    pytest.param(
        "- {for_each: {file: a.txt}, steps: [{path: /}]}",
        {"a_txt": "a"},
        "a.txt is neither .csv nor .json",
        id="no data",
    ),
    pytest.param(
        "- {for_each: {file: a.csv}, steps: [{path: /}]}",
        {"a_csv": "a,b\n1\n"},
        "row 2 does not have as many fields",
        id="short row",
    ),
    pytest.param(
        "- {for_each: {file: a.csv}, steps: [{path: /}]}",
        {"a_csv": "a\n1,2\n"},
        "row 2 does not have as many fields",
        id="long row",
    ),
    pytest.param(
        "- {for_each: {file: a.csv}, steps: [{path: /}]}",
        {"a_csv": "a,b\n"},
        "there is no row",
        id="no row",
    ),
    pytest.param(
        "- {for_each: {file: a.csv}, steps: [{path: /}]}",
        {"a_csv": b"\xff"},
        "a.csv is not UTF-8",
        id="not UTF-8",
    ),
    pytest.param(
        "- {for_each: {file: a.json}, steps: [{path: /}]}",
        {"a_json": "{}"},
        "a.json is not an array",
        id="no array",
    ),
    pytest.param(
        "- {for_each: {file: a.json}, steps: [{path: /}]}",
        {"a_json": "[NaN]"},
        "a.json is not JSON: NaN is no JSON",
        id="NaN",
    ),
    pytest.param(
        "- {for_each: {file: a.json}, steps: [{path: /}]}",
        {"a_json": str([1] * 201)},
        "201 rows; at most 200",
        id="rows",
    ),
]


@pytest.mark.parametrize(("steps", "files", "message"), WRONG)
def test_wrong_file(read, steps, files, message):
    """A mistake in a file is reported at its place in the file."""
    with pytest.raises(PlanError) as raised:
        read(steps, **files)
    assert message in str(raised.value)


def test_http_sends_a_file(tmp_path):
    """A request sends its file beside the plan unchanged."""
    (tmp_path / "order.bin").write_bytes(b"\x00 ${event}")
    plan = tmp_path / "plan.yaml"
    text = HTTP.format("order.bin")
    assert [("/", b"\x00 ${event}")] == asked(
        read_plan(text, "plan.yaml", resolve, beside(plan))
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../secret.txt", "is not a file beside the plan"),
        ("/proc/self/environ", "is not a file beside the plan"),
        (
            "gone.json",
            "plan.yaml:5:27: body.file: there is no file gone.json beside",
        ),
    ],
)
def test_http_file_elsewhere(tmp_path, name, message):
    """A file that is not beside the plan is reported at its place named."""
    with pytest.raises(PlanError) as raised:
        read_plan(
            HTTP.format(name), "plan.yaml", resolve, beside(tmp_path / "plan.yaml")
        )
    assert message in str(raised.value)


def test_link_out_of_the_folder(read, tmp_path):
    """A link that is outside of the plan's folder is not followed."""
    (tmp_path / "a.txt").symlink_to("/etc/hostname")
    with raises(PlanError, "HG-INCLUDE-NAME", "a.txt"):
        read("- {path: /, body: {file: a.txt}}")


def test_deep_includes_are_bounded(read):
    """Files include files only so deep."""
    files = {f"f{n}_yaml": f"steps: [{{include: f{n + 1}.yaml}}]" for n in range(9)}
    with raises(PlanError, "HG-INCLUDE-SIZE", "5"):
        read("- {include: f0.yaml}", **files)


def test_plan_without_a_folder():
    """A plan that is no file has no files beside it, and says what to do."""
    text = f"{HEAD}          - {{include: a.yaml}}\n"
    with pytest.raises(PlanError) as raised:
        read_plan(text, "ssm:/plans/shop", resolve)
    assert (
        "ssm:/plans/shop:7:23: steps[0].include: a.yaml cannot be read: the plan "
        "ssm:/plans/shop has no files beside it. Keep the plan in an S3 bucket"
    ) in str(raised.value)


LOG = """
version: 1
events:
  AfterAllowTestTraffic:
    - use: traffic
      with: {{access_log: {{file: "{}"}}, duration: 60s}}
"""


@pytest.mark.parametrize(
    ("name", "place"),
    [
        pytest.param("alb.log", "{}/alb.log", id="beside the plan"),
        pytest.param("s3://logs/alb.log.gz", "s3://logs/alb.log.gz", id="S3"),
        pytest.param("/var/log/alb.log", "/var/log/alb.log", id="full path"),
    ],
)
def test_access_log(tmp_path, name, place):
    """An access log is looked for beside the plan, wherever the command runs."""
    (tmp_path / "alb.log").touch()
    files = beside(tmp_path / "plan.yaml")
    plan = read_plan(LOG.format(name), "plan.yaml", resolve, files)
    found = plan.steps(EVENT)[0].build(lambda text: text).access_log.file
    assert place.format(tmp_path.resolve()) == found


@pytest.mark.parametrize(
    ("has_files", "names"),
    [
        pytest.param(True, ["alb.log"], id="missing"),
        pytest.param(False, ["alb.log", "s3://bucket/key"], id="SSM"),
    ],
)
def test_access_log_that_is_not_there(tmp_path, has_files, names):
    """A file that cannot be read is an error of the plan."""
    files = beside(tmp_path / "plan.yaml") if has_files else None
    with raises(PlanError, "HG-INCLUDE-MISSING", "plan.yaml:6:33", *names):
        read_plan(LOG.format("alb.log"), "plan.yaml", resolve, files)


class Catalog(Validator):
    """A validator of a third party: options of its own types and names."""

    prices: File
    more: Mapping[str, tuple[File, ...]] = {}
    journey: tuple[ScenarioItem, ...] = ()

    def check(self, context, tools):
        """State what the files contain, and run the included steps."""
        files = [self.prices, *(each for some in self.more.values() for each in some)]
        yield Finding(ok=True, summary=repr([each.raw for each in files]))
        if self.journey:
            session = Session(client=tools.http)
            script = Script(steps=self.journey)
            run = ScriptRun(script=script, session=session, deadline=tools.deadline)
            yield from run.findings()


def read_catalog(folder: Path, options: str) -> Plan:
    """A plan whose step uses the third party's validator."""
    text = (
        f"{HEAD.partition('    - use')[0]}    - use: catalog\n      with: {options}\n"
    )
    return read_plan(text, "plan.yaml", lambda _: Catalog, beside(folder / "plan.yaml"))


def test_files_of_any_option(tmp_path):
    """An option of any name takes a file, and a list of steps includes one."""
    (tmp_path / "prices.csv").write_bytes(b"tea,7.50")
    (tmp_path / "a.bin").write_bytes(b"\x00${event}")
    (tmp_path / "steps.yaml").write_text(
        "steps: [{path: '/${event}', body: {file: prices.csv}}]"
    )
    plan = read_catalog(
        tmp_path,
        "{prices: {file: prices.csv}, more: {x: [{file: a.bin}]},"
        " journey: [{include: steps.yaml}]}",
    )
    requests = []

    def app(request):
        requests.append((request.path, request.body))
        return 200

    built = plan.steps(EVENT)[0].build(lambda text: text.replace("${event}", "now"))
    found = check(built, app=app)
    assert "[b'tea,7.50', b'\\x00${event}']" == found[0].summary
    assert [("/now", b"tea,7.50")] == requests


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            "{prices: {file: gone.csv}}",
            "plan.yaml:5:29: prices.file: there is no file gone.csv beside the plan",
            id="missing",
        ),
        pytest.param(
            "{prices: {file: a.csv}, more: {x: [{file: ../a.csv}]}}",
            "plan.yaml:5:55: more.x[0].file: '../a.csv' is not a file beside the plan",
            id="outside",
        ),
        pytest.param(
            "{prices: {file: a.csv}, journey: [{include: a.csv}]}",
            "HG-YAML-NOT-A-MAPPING",
            id="not steps",
        ),
        pytest.param(
            "{prices: {file: a.csv, content: YQ==}}",
            "plan.yaml:5:36: unknown option 'content'; there are: file",
            id="content in the plan",
        ),
    ],
)
def test_wrong_files_of_any_option(tmp_path, options, message):
    """A file that cannot be read is an error at its name."""
    (tmp_path / "a.csv").write_text("a")
    with pytest.raises(PlanError) as raised:
        read_catalog(tmp_path, options)
    assert message in str(raised.value)


def test_a_file_is_read_once(tmp_path):
    """What was read with the plan is used, whatever happens to the file later."""
    (tmp_path / "a.csv").write_text("first")
    (tmp_path / "b.yaml").write_text("steps: [{path: '/${event}'}]")
    plan = read_catalog(
        tmp_path, "{prices: {file: a.csv}, journey: [{include: b.yaml}]}"
    )
    for name in ("a.csv", "b.yaml"):
        (tmp_path / name).unlink()
    built = plan.steps(EVENT)[0].build(lambda text: text.replace("${event}", "now"))
    assert b"first" == built.prices.raw
    assert "/now" == built.journey[0].steps[0].path


def test_includes_are_bounded(read):
    """Files that include each other many times do not multiply without bound."""
    twice = "steps: [" + ", ".join(["{{include: {}}}"] * 10) + "]"
    files = {f"f{n}_yaml": twice.format(*[f"f{n + 1}.yaml"] * 10) for n in range(4)}
    with raises(PlanError, "HG-INCLUDE-SIZE", "50"):
        read("- {include: f0.yaml}", f4_yaml="steps: [{path: /}]", **files)


def test_file_for_a_test():
    """A test of a validator gives a file without a plan."""
    found = check(Catalog(prices=a_file("a.csv", "tea")))
    assert ["[b'tea']"] == [each.summary for each in found]
