"""``hookgate lint``."""

import pytest
from support.command import ROOT, STOREFRONT, a_storefront

from hookgate.codes import Code
from hookgate_cli.main import hookgate, run


@pytest.fixture(name="files")
def _files(tmp_path):
    """Files to check by what they are; the one-line JSON says so by its keys alone."""
    texts = {
        "wrong-plan.yaml": "version: 1\nevents: {AfterInstall: [{use: htp}]}\n",
        "appspec.json": (
            '{"version": 0.0, "Resources": [{"T": {"Type": "AWS::ECS::Service", '
            '"Properties": {"TaskDefinition": "<TASK_DEFINITION>", "LoadBalancerInfo": '
            '{"ContainerName": "web", "ContainerPort": 80}}}}]}'
        ),
        "wrong-appspec.yaml": "version: 0.0\nHooks: []\n",
        "advisory.yaml": (
            "version: 1\nevents: {AfterInstall: [{use: routing, blocking: false}]}\n"
        ),
        "empty.yaml": "",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


APPSPEC = """version: 0.0
Resources:
  - T:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}
Hooks:
  - AfterInstall: CodeDeployHook_hookgate_AfterInstall
  - beforeAllowTraffic: CodeDeployHook_hookgate_BeforeAllowTraffic
"""
TEMPLATE = """Hooks:
  Shift:
    Type: AWS::CodeDeploy::BlueGreen
    Properties:
      LifecycleEventHooks: {AfterInstall: CodeDeployHook_hookgate_AfterInstall}
      Applications:
        - Target: {Type: AWS::ECS::Service, LogicalID: Service}
          ECSAttributes:
            TaskDefinitions: [Service, Service]
            TrafficRouting:
              ProdTrafficRoute: {Type: AWS::X, LogicalID: Service}
              TargetGroups: [Service, Service]
Resources:
  Service: {Type: AWS::ECS::Service}
"""
STEPS = "[{use: task_definition}]"


@pytest.mark.parametrize(
    ("events", "valid", "messages"),
    [
        pytest.param(["AfterInstall", "BeforeAllowTraffic"], 2, [], id="match"),
        pytest.param(
            ["AfterInstall"],
            1,
            ["appspec.yaml:10:5: ", Code.APPSPEC_NO_STEPS],
            id="hook without steps",
        ),
        pytest.param(
            ["AfterInstall", "BeforeAllowTraffic", "AfterAllowTraffic"],
            1,
            ["plan.yaml:5:23: ", Code.APPSPEC_NO_HOOK],
            id="steps without hook",
        ),
    ],
)
def test_appspec_and_plan(tmp_path, events, valid, messages, capsys):
    """A hook without steps and steps without a hook are errors, in any order."""
    appspec, plan = tmp_path / "appspec.yaml", tmp_path / "plan.yaml"
    appspec.write_text(APPSPEC)
    lines = [f"  {event}: {STEPS}\n" for event in events]
    plan.write_text(f"version: 1\nevents:\n{''.join(lines)}")
    for files in ((appspec, plan), (plan, appspec)):
        code = run(hookgate, ["lint", *map(str, files)])
        out = capsys.readouterr().out
        assert (2 if messages else 0, valid) == (code, out.count(": valid"))
        assert [True] * len(messages) == [each in out for each in messages], out
    for file in (appspec, plan):
        assert 0 == run(hookgate, ["lint", str(file)])


def test_template_and_plan(tmp_path, capsys):
    """The hooks of a CloudFormation template are compared with a plan, too."""
    template, plan = tmp_path / "template.yaml", tmp_path / "plan.yaml"
    template.write_text(TEMPLATE)
    plan.write_text(f"version: 1\nevents: {{BeforeInstall: {STEPS}}}\n")
    assert 2 == run(hookgate, ["lint", str(template), str(plan)])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{template}:5:29: ")
    assert Code.APPSPEC_NO_STEPS in first
    assert second.startswith(f"{plan}:2:")
    assert Code.APPSPEC_NO_HOOK in second


@pytest.mark.parametrize(
    ("target", "use", "warned"),
    [
        pytest.param("", "http", True, id="no identity"),
        pytest.param(
            "target: {identity: {header: X-V, equals: a}}\n",
            "http",
            False,
            id="identity",
        ),
        pytest.param("", "routing", False, id="no request"),
    ],
)
def test_missing_identity(tmp_path, target, use, warned, capsys):
    """A plan that asks the listener without an identity check is warned about."""
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        f"version: 1\n{target}events: {{AfterAllowTestTraffic: [{{use: {use}}}]}}\n"
    )
    assert 0 == run(hookgate, ["lint", str(plan)])
    assert warned == (Code.PLAN_NO_IDENTITY in capsys.readouterr().out)


def test_literal_secret(tmp_path, capsys):
    """A plan with a literal secret is an error, with a hint and without the value."""
    plan = tmp_path / "plan.yaml"
    step = "{use: http, with: {headers: {Authorization: Bearer t0p-v4lue}}}"
    plan.write_text(f"version: 1\nevents: {{AfterAllowTestTraffic: [{step}]}}\n")
    assert 2 == run(hookgate, ["lint", str(plan)])
    out = capsys.readouterr().out
    assert (True, True, False) == (
        Code.OPTION_SECRET in out,
        "${secret.NAME}" in out,
        "t0p-v4lue" in out,
    )


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(STOREFRONT / "plan.yaml", id="plan"),
        pytest.param(STOREFRONT / "scenario.yaml", id="scenario"),
        pytest.param(STOREFRONT / "every-version.yaml", id="larger scenario"),
        pytest.param(ROOT / "hooks" / "plans" / "default.yaml", id="default plan"),
    ],
)
def test_shipped_file_is_fine(file, capsys):
    """The files that ship are right."""
    assert 0 == run(hookgate, ["lint", str(file)])
    assert f"{file}: valid" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        pytest.param("appspec.json", 0, "appspec.json: valid", id="AppSpec"),
        pytest.param("wrong-plan.yaml", 2, "unknown validator 'htp'", id="plan"),
        pytest.param("wrong-appspec.yaml", 2, "RESOURCES", id="wrong AppSpec"),
        pytest.param("advisory.yaml", 0, "warning:", id="warning"),
        pytest.param("empty.yaml", 2, ":1:1: the file is empty", id="empty"),
        pytest.param("none.yaml", 2, "does not exist", id="no such file"),
    ],
)
def test_file_is_reported(files, name, code, expected, capsys):
    """Each file gets its answer; a warning does not make it wrong."""
    assert code == run(hookgate, ["lint", str(files / name)])
    assert expected in "".join(capsys.readouterr())


def test_one_wrong_file_of_many_is_wrong(files, capsys):
    """All files are checked, and one wrong one decides."""
    names = ["appspec.json", "wrong-plan.yaml", "advisory.yaml"]
    assert 2 == run(hookgate, ["lint", *(str(files / name) for name in names)])
    out = capsys.readouterr().out
    assert [True] * 3 == [str(files / name) in out for name in names]


def test_wrong_scenario_is_reported_with_its_places(tmp_path, capsys):
    """A scenario is checked as rehearse would check it."""
    file = a_storefront(tmp_path, a="starts_with: storefront:1.0.0->starts_with: shop")
    assert 2 == run(hookgate, ["lint", str(file)])
    assert f"{file}:34:14: no image 'shop' in images" in capsys.readouterr().out
