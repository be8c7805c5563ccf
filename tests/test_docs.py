"""The README and the documents are true."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from hookgate.codes import Code
from hookgate.plan import read_plan
from hookgate.registry import resolve
from hookgate_cli.main import hookgate

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("examples/*/*.md"),
]
ANCHORED = re.compile(r"\]\((?!https?:)([^)#]*)#([^)]+)\)")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def blocks(language: str) -> list[str]:
    """The README's code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_validator_of_the_readme(tmp_path):
    """The README's validator and its test run unchanged."""
    validator, test = blocks("python")
    package = tmp_path / "validators"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "redirects.py").write_text(validator)
    (tmp_path / "test_redirects.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "--rootdir"]
    done = subprocess.run(  # noqa: S603 - our own test
        [*command, str(tmp_path), "-c", "/dev/null", str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT / 'src'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_plan_of_the_readme():
    """The README's plan is a right one."""
    plan = next(each for each in blocks("yaml") if each.startswith("version: 1"))

    assert 5 == len(
        read_plan(plan, "README.md", resolve).events["AfterAllowTestTraffic"]
    )


def test_appspec_of_the_readme():
    """Who copies the README's AppSpec has no hook that its plan has no steps for."""
    plan = next(each for each in blocks("yaml") if each.startswith("version: 1"))
    (hooks,) = re.findall(r"Hooks:\n((?: +- .*\n)+)", README)

    assert set(re.findall(r"- (\w+):", hooks)) == {
        str(event) for event in read_plan(plan, "README.md", resolve).events
    }


def test_commands_of_the_readme():
    """Every command that the README names is there, and the other way round."""
    named = set(re.findall(r"`hookgate (\w+)", README))

    assert named == set(hookgate.list_commands(None))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    """Every link between documents leads somewhere."""
    text = page.read_text(encoding="utf-8")
    broken = [to for to in LINK.findall(text) if not (page.parent / to).exists()]

    assert [] == broken


def _anchor(heading):
    """A heading's anchor as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_anchors(page):
    """Every link to a heading finds that heading on its page."""
    broken = []
    for to, anchor in ANCHORED.findall(page.read_text(encoding="utf-8")):
        text = ((page.parent / to) if to else page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        if anchor not in map(_anchor, headings):
            broken.append(f"{to}#{anchor}")

    assert [] == broken


def test_tool_that_draws_the_picture():
    """The tool that draws the README's picture still finds all that it needs."""
    assert "main" in runpy.run_path(str(ROOT / "tools" / "draw_rehearsal.py"))


@pytest.mark.parametrize(
    "plan",
    [*ROOT.glob("hooks/plans/*.yaml"), *ROOT.glob("examples/*/plan*.yaml")],
    ids=lambda plan: f"{plan.parent.name}/{plan.name}",
)
def test_shipped_plans(plan):
    """Every plan that ships can be read, and none of its events is advisory only."""
    warnings = read_plan(plan.read_bytes(), str(plan), resolve).warnings()
    assert Code.PLAN_NEVER_PASSES not in [each.code for each in warnings]


def test_every_test_has_its_sentence():
    """Every test says in a sentence which fact it proves."""
    silent = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in (ROOT / "tests").rglob("test_*.py")
        for name, rest in re.findall(
            r"^def (test_\w+)\([^)]*\)[^:]*:\n(.*)",
            file.read_text("utf-8"),
            re.MULTILINE,
        )
        if not rest.strip().startswith(('"""', 'r"""'))
    ]

    assert [] == silent


@pytest.mark.parametrize("folder", ["layer/hookgate", "rehearsal"])
def test_architecture_names_every_package(folder):
    """The architecture page lists each package of the layer and of the rehearsal."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {each.parent.name for each in (ROOT / folder).glob("*/__init__.py")}
    assert packages
    assert set() == {each for each in packages if f"`{each}/`" not in page}
