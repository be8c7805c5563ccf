"""``hookgate lint``."""

import pytest
from support.command import ROOT, STOREFRONT, a_storefront

from cli.main import hookgate, run


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
    assert f"{file}: fine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        pytest.param("appspec.json", 0, "appspec.json: fine", id="AppSpec"),
        pytest.param("wrong-plan.yaml", 2, "unknown validator 'htp'", id="plan"),
        pytest.param("wrong-appspec.yaml", 2, "Resources holds", id="wrong AppSpec"),
        pytest.param("advisory.yaml", 0, "warning:", id="warning"),
        pytest.param("empty.yaml", 2, ":1:1: the file is empty", id="empty"),
        pytest.param("none.yaml", 2, "does not exist", id="no such file"),
    ],
)
def test_file_is_told_of(files, name, code, expected, capsys):
    """Each file gets its answer; a warning does not make it wrong."""
    assert code == run(hookgate, ["lint", str(files / name)])
    assert expected in "".join(capsys.readouterr())


def test_one_wrong_file_of_many_is_wrong(files, capsys):
    """All files are checked, and one wrong one decides."""
    names = ["appspec.json", "wrong-plan.yaml", "advisory.yaml"]
    assert 2 == run(hookgate, ["lint", *(str(files / name) for name in names)])
    told = capsys.readouterr().out
    assert [True] * 3 == [str(files / name) in told for name in names]


def test_wrong_scenario_is_told_with_its_places(tmp_path, capsys):
    """A scenario is checked as rehearse would check it."""
    file = a_storefront(tmp_path, a="starts_with: storefront:1.0.0->starts_with: shop")
    assert 2 == run(hookgate, ["lint", str(file)])
    assert f"{file}:34:14: no image 'shop' in images" in capsys.readouterr().out
