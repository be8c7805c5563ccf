"""Where validators come from, and that a broken one is an error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hookgate.codes import Code
from hookgate.errors import InputError, closest, did_you_mean
from hookgate.registry import GROUP, names, resolve

GOOD = '''
from hookgate import Validator

class {name}(Validator):
    """Is good."""

    def check(self, context, tools):
        yield from ()
'''


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """An importable, empty package of drop-ins; its name is the test's own."""
    home = tmp_path / f"drop_ins_{abs(hash(request.node.nodeid))}"
    home.mkdir()
    (home / "__init__.py").touch()
    sys.path.insert(0, str(tmp_path))
    yield home
    sys.path.remove(str(tmp_path))
    for name in [each for each in sys.modules if each.split(".")[0] == home.name]:
        del sys.modules[name]


def dropped(folder: Path, use: str, source: str) -> None:
    """Drop a module in."""
    (folder / f"{use}.py").write_text(source, "utf-8")


def resolved(folder: Path, use: str, *installed: EntryPoint) -> type:
    """Resolve among the drop-ins of a folder and these entry points."""
    return resolve(use, packages=(folder.name,), entry_points=lambda: installed)


def installed(use: str, value: str) -> EntryPoint:
    """The entry point of an installed package."""
    return EntryPoint(name=use, value=value, group=GROUP)


def refusal(folder: Path, use: str, *entry_points: EntryPoint) -> str:
    """Why a name is refused."""
    with pytest.raises(InputError) as refused:
        resolved(folder, use, *entry_points)
    return str(refused.value)


def test_drop_in_is_found(folder: Path):
    """A file in the folder is a validator."""
    dropped(folder, "target_health", GOOD.format(name="TargetHealth"))
    assert "TargetHealth" == resolved(folder, "target_health").__name__


def test_digits_are_part_of_a_word(folder: Path):
    """The class of ``http2_ping`` is Http2Ping."""
    dropped(folder, "http2_ping", GOOD.format(name="Http2Ping"))
    assert "Http2Ping" == resolved(folder, "http2_ping").__name__


def test_installed_validator_is_found(folder: Path):
    """An entry point is a validator."""
    dropped(folder, "elsewhere", GOOD.format(name="Check"))
    found = resolved(
        folder, "acme", installed("acme", f"{folder.name}.elsewhere:Check")
    )
    assert "Check" == found.__name__


def test_only_what_is_named_is_imported(folder: Path):
    """A broken validator that is not used has no effect."""
    dropped(folder, "good", GOOD.format(name="Good"))
    dropped(folder, "bad", "raise RuntimeError")
    assert "Good" == resolved(folder, "good", installed("worse", "no:such")).__name__


def test_names_are_listed_without_import(folder: Path):
    """Every name a plan may use is listed, and none of them is imported."""
    for use in ("zebra", "ant", "_private", "Upper"):
        dropped(folder, use, "raise RuntimeError")
    (folder / "cases").mkdir()
    found = names(
        packages=(folder.name,), entry_points=lambda: (installed("bee", "x:Y"),)
    )
    assert ("ant", "bee", "zebra") == found


def test_without_a_folder_there_are_no_drop_ins():
    """A function without the package ``validators`` still has installed ones."""
    found = names(
        packages=("no_such_package",), entry_points=lambda: (installed("bee", "x:Y"),)
    )
    assert ("bee",) == found


@pytest.mark.parametrize(
    "use", ["", "Http", "9lives", "a-b", "a.b", "../x", "a" * 65, "os\n", "_x", "é"]
)
def test_what_is_no_name_is_refused(folder: Path, use: str):
    """A name never reaches the import system unless it is one."""
    assert "cannot name a validator" in refusal(folder, use)


def test_unknown_name_is_refused(folder: Path):
    """The message suggests the nearest name and lists all."""
    dropped(folder, "redirects", GOOD.format(name="Redirects"))
    expected = (
        "unknown validator 'redirect'; did you mean 'redirects'? There are: acme, "
        "redirects"
    )
    assert expected == refusal(folder, "redirect", installed("acme", "acme:Acme"))


def test_folder_without_a_module_is_unknown(folder: Path):
    """A folder of case tables beside the validators is not one."""
    (folder / "cases").mkdir()
    assert "unknown validator 'cases'; there are none" == refusal(folder, "cases")


def test_two_providers_are_refused(folder: Path):
    """Which of two would run is not left to chance."""
    dropped(folder, "redirects", GOOD.format(name="Redirects"))
    message = refusal(folder, "redirects", installed("redirects", "acme:Redirects"))
    expected = f"is provided by {folder.name}/redirects.py and acme:Redirects; rename"
    assert expected in message


def test_two_packages_of_one_name_are_refused(folder: Path):
    """Two installed packages are two providers."""
    both = (installed("acme", "one:Acme"), installed("acme", "two:Acme"))
    assert "is provided by one:Acme and two:Acme" in refusal(folder, "acme", *both)


BROKEN = {
    "missing_import": ("import no_such_thing", "ModuleNotFoundError: No module named"),
    "missing_part": ("from . import no_such_part", "ImportError: cannot import name"),
    "syntax": ("class X(:", "SyntaxError: invalid syntax"),
    "raises": ("raise RuntimeError('boom')", "RuntimeError: boom"),
    "exits": ("raise SystemExit(0)", "SystemExit: 0"),
    "binary": ("\x00", "null bytes"),
    "no_class": ("x = 1", "has no attribute 'NoClass'"),
    "a_function": ("def AFunction(): ...", "is not a class but function"),
    "a_class": ("class AClass: ...", "is not a subclass of Validator"),
    "idle": (
        "from hookgate import Validator\nclass Idle(Validator):\n  'Does nothing.'\n",
        "is abstract: add to Idle the method check",
    ),
    "silent": (
        GOOD.format(name="Silent").replace('"""Is good."""', ""),
        "has no docstring: describe in Silent what it checks",
    ),
    "bad_option": (
        GOOD.format(name="BadOption").replace("    def", "    x: object()\n    def"),
        "cannot be loaded",
    ),
}


@pytest.mark.parametrize("use", BROKEN)
def test_broken_drop_in_is_an_error(folder: Path, use: str):
    """The error of a broken validator has its file and the reason."""
    source, reason = BROKEN[use]
    dropped(folder, use, source)
    message = refusal(folder, use)
    assert f"the validator '{use}' ({folder.name}/{use}.py)" in message
    assert reason in message


@pytest.mark.parametrize("use", BROKEN)
def test_broken_package_is_an_error(folder: Path, use: str):
    """An installed package gets the same checks."""
    source, reason = BROKEN[use]
    title = use.title().replace("_", "")
    dropped(folder, use, source)
    value = f"{folder.name}.{use}:{title}"
    message = refusal(folder, f"own_{use}", installed(f"own_{use}", value))
    assert f"the validator 'own_{use}' ({value})" in message
    assert reason in message


def test_package_that_is_not_there_is_an_error(folder: Path):
    """An entry point that leads nowhere is an error."""
    message = refusal(folder, "acme", installed("acme", "no_such_package:Acme"))
    assert "cannot be loaded: ModuleNotFoundError" in message


def test_broken_folder_is_an_error(folder: Path):
    """A package of drop-ins that cannot be imported is not taken for an empty one."""
    (folder / "__init__.py").write_text("import no_such_thing", "utf-8")
    assert "cannot be loaded: ModuleNotFoundError" in refusal(folder, "redirects")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("htpp", "http"),
        ("HTTP", "http"),
        ("targethealth", "target_health"),
        ("zz", None),
    ],
)
def test_closest(word: str, expected: str | None):
    """The nearest known word is found whatever its case, or none."""
    assert expected == closest(word, ["http", "target_health"])


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("hosts", ["host"], "; did you mean 'host'? There are: host"),
        ("x", ["host", "port"], "; there are: host, port"),
        ("x", [], "; there are none"),
    ],
)
def test_did_you_mean(word: str, known: list[str], expected: str):
    """A sentence about an unknown word ends with what may be written."""
    assert expected == did_you_mean(word, known)


def test_project_validator_of_a_built_in_name_is_refused(folder: Path):
    """A project cannot replace a built-in validator silently."""
    dropped(folder, "http", GOOD.format(name="Http"))
    dropped(folder, "shop", GOOD.format(name="Shop"))
    packages = (folder.name, "hookgate_validators")
    assert "Shop" == resolve("shop", packages=packages).__name__
    with pytest.raises(InputError) as refused:
        resolve("http", packages=packages)
    assert Code.VALIDATOR_AMBIGUOUS == refused.value.code
