"""Every code is used, tested, has a page, and is written in one place only."""

import re
from pathlib import Path

import pytest

from hookgate.codes import Code
from hookgate_cli.validators import codes_page

ROOT = Path(__file__).parents[2]
CODES = ROOT / "layer" / "hookgate" / "codes.py"
SOURCES = {
    file: file.read_text("utf-8")
    for folder in ("layer", "hooks", "validators", "rehearsal", "cli")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if file != CODES
}
TEXT = "\n".join(SOURCES.values())
TESTS = "\n".join(
    file.read_text("utf-8")
    for suffix in ("py", "yaml", "txt")
    for file in sorted((ROOT / "tests").rglob(f"*.{suffix}"))
)
LITERAL = re.compile(r"""["'](HG-[A-Z][A-Z0-9-]*)["']""")
#: It works without the layer, so it cannot import the codes.
ALONE = ROOT / "hooks" / "fallback_report.py"


def test_page_is_current():
    """The reference page lists the codes that there are (`make docs`)."""
    page = ROOT / "docs" / "reference" / "codes.md"
    assert codes_page() == page.read_text("utf-8")


@pytest.mark.parametrize("code", Code, ids=str)
def test_code(code):
    """A code is used in the sources, named by a test, and means one sentence."""
    assert re.search(rf"{code}(?![A-Z0-9-])|\bCode\.{code.name}\b", TESTS)
    assert re.search(rf"\bCode\.{code.name}\b", TEXT)
    assert re.fullmatch(r"[A-Z][^.]*(\d\.\d[^.]*)*\.", code.meaning)


def test_no_literal():
    """No source that can import the codes writes one as text."""
    assert [ALONE] == [file for file, text in SOURCES.items() if LITERAL.search(text)]
    assert set(Code) >= set(LITERAL.findall(SOURCES[ALONE]))
