"""Every validator has a page, an example that runs, cases and wrong values."""

from __future__ import annotations

from typing import Any

import pytest
from support.reference import NAMES, ROOT, example_step, missing, rows

from hookgate.plan import read_plan
from hookgate.plan.options import build
from hookgate.registry import resolve
from hookgate.validator import Validator
from hookgate_cli.main import hookgate, run
from hookgate_cli.validators import example, index, permissions_page


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_missing(name):
    """Page, example, source, cases and a wrong value for every option are there."""
    assert [] == list(missing(name))


def test_index_is_current():
    """The page of all validators lists those that there are (`make docs`)."""
    file = ROOT / "docs" / "reference" / "README.md"
    assert index(NAMES) == file.read_text("utf-8")


def test_permissions_are_current():
    """The page of permissions lists those that the validators declare."""
    file = ROOT / "docs" / "reference" / "permissions.md"
    assert permissions_page() == file.read_text("utf-8")


def test_no_page_without_a_validator():
    """A validator that is gone leaves no page and no table behind."""
    pages = {each.stem for each in (ROOT / "docs" / "reference").glob("[a-z]*.md")}
    pages -= {"codes", "permissions"}
    tables = {
        each.stem for each in (ROOT / "tests" / "validators").glob("*/[a-z]*.yaml")
    }
    assert set(NAMES) == pages
    assert set(NAMES) | {"every_validator"} >= tables


@pytest.mark.parametrize("name", NAMES)
def test_example_is_a_plan(name):
    """The example can be pasted below a lifecycle event."""
    steps = example(resolve(name)).replace("\n", "\n    ")
    event = "AfterAllowTestTraffic"
    text = f"version: 1\nevents:\n  {event}:\n    {steps}\n"
    plan = read_plan(text, name, resolve, deployed=not resolve(name).only_run)
    assert name in {each.use for each in plan.steps(event)}


def wrong_rows():
    """Each validator's own wrong values, and with it those of the common words."""
    for name in NAMES:
        for row in rows("wrong", name):
            yield pytest.param(name, row, id=f"{name}: {row['option']}: {row['code']}")
        known = resolve(name).model_fields
        for row in rows("wrong", "every_validator"):
            if row["option"].partition(".")[0] in known:
                yield pytest.param(
                    name, row, id=f"{name}: {row['option']}: {row['code']}"
                )


@pytest.mark.parametrize(("name", "row"), list(wrong_rows()))
def test_wrong_value(name: str, row: dict[str, Any]):
    """A wrong value is refused when the plan is read, at its place, with its code."""
    validator = resolve(name)
    faults = build(validator, {**_needed(validator), **row["with"]})
    assert not isinstance(faults, Validator), "it was taken"
    place, named = row.get("at", row["option"]), row.get("names", "")
    assert any(
        row["code"] == each.code
        and ".".join(str(part) for part in each.path).startswith(place)
        and named in each.what
        for each in faults
    ), faults


@pytest.mark.parametrize("name", NAMES)
def test_unknown_option(name):
    """A word that is no option is refused by name."""
    validator = resolve(name)
    faults = build(validator, {**_needed(validator), "surprise": 1})
    assert not isinstance(faults, Validator)
    assert ["surprise"] == [each.path[-1] for each in faults]


def _needed(validator: type[Validator]) -> dict[str, Any]:
    """The example's options, where a validator cannot be built without any."""
    required = [
        field.alias or each
        for each, field in validator.model_fields.items()
        if field.is_required()
    ]
    given = example_step(validator).get("with", {})
    return {each: given[each] for each in required if each in given}


def test_page_can_be_printed(capsysbinary):
    """One page goes to standard output alone."""
    assert 0 == run(hookgate, ["validators", "http", "--markdown", "-"])
    page = ROOT / "docs" / "reference" / "http.md"
    assert page.read_bytes() == capsysbinary.readouterr().out


def test_pages_are_written(tmp_path):
    """All pages and the one that leads to them go into a folder."""
    assert 0 == run(hookgate, ["validators", "--markdown", str(tmp_path)])
    written = {each.stem for each in tmp_path.glob("*.md")}
    assert {*NAMES, "README", "codes", "permissions"} == written


def test_missing_things_are_reported(tmp_path):
    """What a validator lacks is reported one by one, with what to do."""
    assert [
        "docs/reference/routing.md: missing or stale; run `make docs`",
        "tests/validators/cases/routing.yaml: no row that passes",
        "tests/validators/cases/routing.yaml: no row that fails",
        "tests/validators/cases/routing.yaml: no row 'with: EXAMPLE' that passes",
    ] == [each for each in missing("routing", tmp_path) if "wrong" not in each]
