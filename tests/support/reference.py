"""What every validator must have beside its code, and what of it is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from hookgate.plan.messages import models_of
from hookgate.registry import names, resolve
from hookgate.validator import Validator
from hookgate_cli.validators import example, page, prose

ROOT = Path(__file__).parent.parent.parent
NAMES = names(entry_points=tuple)
#: What a row of a case table says instead of options, to mean the example's.
EXAMPLE = "EXAMPLE"

_SOURCE = re.compile(r"RFC \d+|[a-z0-9-]+\.(?:com|org|io|dev|net|se)/")


def example_step(validator: type[Validator]) -> Mapping[str, Any]:
    """The first step of a validator's example."""
    steps = yaml.safe_load(example(validator) or "[]")
    return steps[0] if steps else {}


def rows(table: str, name: str, root: Path = ROOT) -> list[dict[str, Any]]:
    """The rows of a validator's table, ``cases`` or ``wrong``; none without a file."""
    file = root / "tests" / "validators" / table / f"{name}.yaml"
    return (yaml.safe_load(file.read_text("utf-8")) or []) if file.exists() else []


def option_names(
    model: type[BaseModel], above: str = "", seen: set[type[BaseModel]] | None = None
) -> Iterator[str]:
    """A model's own options, those inside of an option as ``tls.ca``.

    Without those that every validator has, and without what an entry of ``expect`` may
    say, which has tables of its own. What two options share stands below the first.
    """
    seen = {model} if seen is None else seen
    for name, field in model.model_fields.items():
        if name in Validator.model_fields and issubclass(model, Validator):
            continue
        path = above + (field.alias or name)
        inner = list(models_of(field))
        if not inner or any(map(_is_assertion, inner)):
            yield path
        for each in inner:
            if each not in seen and not _is_assertion(each):
                seen.add(each)
                yield from option_names(each, f"{path}.", seen)


def _is_assertion(model: type[BaseModel]) -> bool:
    return model.__module__.startswith("hookgate.assertions")


def missing(name: str, root: Path = ROOT) -> Iterator[str]:
    """What the validator called ``name`` lacks below ``root``, with what to do."""
    validator = resolve(name)
    if example_step(validator).get("use") != name:
        yield f"docstring: no 'Example:' section that begins with '- use: {name}'"
    if not _SOURCE.search(prose(validator)):
        yield "docstring: no source (an RFC or the address of a document)"
    file = root / "docs" / "reference" / f"{name}.md"
    if not file.exists() or file.read_text("utf-8") != page(name):
        yield f"docs/reference/{name}.md: missing or stale; run `make docs`"
    yield from _missing_cases(name, root)
    documented = {
        each["option"]
        for table in (name, "every_validator")
        for each in rows("wrong", table, root)
    }
    for option in sorted(set(option_names(validator)) - documented):
        yield f"tests/validators/wrong/{name}.yaml: no wrong value for {option}"


def _missing_cases(name: str, root: Path) -> Iterator[str]:
    file = f"tests/validators/cases/{name}.yaml"
    cases = rows("cases", name, root)
    good = [each for each in cases if _passes(each)]
    if not good:
        yield f"{file}: no row that passes"
    if len(good) == len(cases):
        yield f"{file}: no row that fails"
    if not any(each.get("with") == EXAMPLE for each in good):
        yield f"{file}: no row 'with: {EXAMPLE}' that passes"


def _passes(row: Mapping[str, Any]) -> bool:
    return "raises" not in row and all(each["ok"] for each in row.get("finds", ()))
