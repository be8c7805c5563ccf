"""docs/assertions.md matches the code, and its examples pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from support import grammar

from hookgate.assertions.assertion import Assertion
from hookgate.testing import a_reply

PAGE = (Path(__file__).parent.parent / "docs" / "assertions.md").read_text("utf-8")
EXAMPLES = [
    each
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    for each in yaml.safe_load(block)
]


def the_answer():
    """The answer that the page shows."""
    found = re.search(r"```http\n(.*?)\n\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    fields = dict(line.split(": ", 1) for line in found[1].split("\n")[1:])
    cookies = (fields.pop("Set-Cookie"),)
    return a_reply(200, found[2], fields, cookies=cookies)


@pytest.mark.parametrize("make", [grammar.queries, grammar.filters, grammar.predicates])
def test_table(make):
    """Every query, filter and predicate stands on the page as the code has it."""
    assert make() in PAGE


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_example(example):
    """Every example holds for the answer on the page."""
    finding = Assertion.model_validate(example).finding(the_answer())
    assert (True, "") == (finding.ok, "" if finding.ok else finding.summary)


def test_examples_are_found():
    """The page has examples of many kinds."""
    assert len(EXAMPLES) > 20
