"""Tests of the script that finds the words to avoid."""

import pytest

from tools.check_words import Checker, load, main

LISTED = {
    "avoid": [
        {"words": ["told", "so many", "last word"], "write": "plain words"},
        {"words": ["holds"], "write": "passes", "in": ["messages"]},
        {"pattern": r"\bno url such as\b", "write": "not a valid URL"},
        {"names": ["Office"], "write": "ListenerPort"},
    ]
}


def found(file, content, **more):
    """Where the words are, and which."""
    return [
        (each.line, each.column, each.word)
        for each in Checker(LISTED | more).check(file, content)
    ]


@pytest.mark.parametrize(
    ("file", "bad", "where", "good"),
    [
        pytest.param(
            "docs/page.md",
            "# Page\n\nThe caller is told\nso\nmany.\n",
            [(3, 15, "told"), (4, 1, "so many")],
            "# Page\n\nThe untold caller holds some.\n",
            id="document",
        ),
        pytest.param(
            "a.py",
            '"""Says.\n\n    It is told.\n"""\n',
            [(3, 11, "told")],
            '"""It holds a lock."""\n',
            id="docstring",
        ),
        pytest.param(
            "a.py",
            'def f():\n    """Be told."""\n',
            [(2, 11, "told")],
            'def f():\n    """Report."""\n',
            id="docstring of a function",
        ),
        pytest.param(
            "a.py",
            "x = 1  # so\n# told and so\n# many\n",
            [(2, 3, "told"), (2, 12, "so many")],
            "x = 1  # it holds\n",
            id="comment",
        ),
        pytest.param(
            "a.py",
            'x = f(\n    "it so "\n    "many holds"\n)\n',
            [(2, 9, "so many"), (3, 11, "holds")],
            'x = f("it passes", "so", "many")\n',
            id="message",
        ),
        pytest.param(
            "a.py",
            'x = f"{y} told\\ntold"\n',
            [(1, 11, "told"), (1, 17, "told")],
            "x = f\"{y['told']} {told(y):>3}\"\n",
            id="f-string",
        ),
        pytest.param(
            "a.py",
            'x = "no URL such as y"\n',
            [(1, 6, "no url such as")],
            'x = "not a valid URL"\n',
            id="pattern",
        ),
        pytest.param(
            "a.py",
            "class _LastWord:\n    told: int\n",
            [(1, 7, "last word"), (2, 5, "told")],
            "class Watchdog:\n    toldest: int\n",
            id="class and field",
        ),
        pytest.param(
            "a.py",
            "def so_many(told_by):\n    is_told = a.told = 1\n",
            [(1, 5, "so many"), (1, 13, "told"), (2, 5, "told"), (2, 17, "told")],
            "def many(by):\n    return told(by, told=a.told)\n",
            id="function, parameter and variable",
        ),
        pytest.param(
            "a.py",
            "class _Office:\n    ...\n",
            [(1, 7, "Office")],
            "class OfficeHours:\n    office = 1\n",
            id="exact name",
        ),
        pytest.param(
            "examples/plan.yaml",
            "name: it is told\n",
            [(1, 13, "told")],
            "name: it holds\n",
            id="yaml of an example",
        ),
        pytest.param(
            "tests/cases.yaml",
            "a: told # is told\n",
            [(1, 14, "told")],
            "a: told\nb: x#told\n",
            id="comment of other yaml",
        ),
        pytest.param(
            "cli/page.html.j2",
            "<p>told</p>\n",
            [(1, 4, "told")],
            "<p>{{ untold }}</p>\n",
            id="template",
        ),
        pytest.param(
            "Makefile",
            "test: ## Be told\n",
            [(1, 13, "told")],
            "test: ## Run all tests\n",
            id="makefile",
        ),
    ],
)
def test_each_kind(file, bad, where, good):
    """A bad text is found at its place, and a good one passes."""
    assert where == found(file, bad)
    assert [] == found(file, good)


@pytest.mark.parametrize("file", ["a/last_word.py", "docs/0001-the-last-word.md"])
def test_names_of_files(file):
    """The name of a module or a document is checked too."""
    assert [(1, 1, "last word")] == found(file, "")


def test_released_sections():
    """In the changelog only what is not released is checked."""
    content = "# Changelog\n\n## [Unreleased]\n\ntold\n\n## [0.1.0]\n\ntold\n"

    assert [(5, 1, "told")] == found("CHANGELOG.md", content)


def test_other_files():
    """Files that people do not read are not checked."""
    assert [] == found("requirements.lock", "told")


def test_exceptions():
    """An exception allows its words on its lines of its files, and nothing else."""
    exceptions = [
        {"path": "docs/**", "line": "quote", "words": ["told"], "reason": "a quotation"}
    ]
    content = "quote: told so many\ntold\n"

    assert [(1, 13, "so many"), (2, 1, "told")] == found(
        "docs/a/page.md", content, exceptions=exceptions
    )
    assert (1, 8, "told") in found("README.md", content, exceptions=exceptions)


@pytest.mark.parametrize(
    "row",
    [
        {"words": ["told"]},
        {"words": ["told"], "write": "x", "in": ["prose"]},
        {"words": ["told"], "pattern": "told", "write": "x"},
        {"words": ["told"], "write": "x", "reason": "y"},
        {"write": "x"},
    ],
)
def test_wrong_entries(row):
    """An entry that is not understood is refused."""
    with pytest.raises(ValueError, match="not a valid entry"):
        Checker({"avoid": [row]})


def test_list_of_the_repository():
    """The list has the words of every kind of text."""
    checker = load()

    assert checker.check("docs/page.md", "The stage stands.")
    assert checker.check("a.py", "def play():\n    pass\n")
    assert not checker.check("a.py", "def replay(display, backstage):\n    pass\n")
    assert all(each.reason for each in checker.exceptions)


def test_command(tmp_path, capsys):
    """The command prints each place with what to write instead, and exits with 1."""
    (tmp_path / "page.md").write_text("It is told.\n")

    assert main([str(tmp_path / "page.md")], tmp_path) == 1
    assert capsys.readouterr().out.startswith("page.md:1:7: 'told'; write the active")

    (tmp_path / "page.md").write_text("It reports.\n")
    assert main([str(tmp_path / "page.md")], tmp_path) == 0
    assert not capsys.readouterr().out


def test_counts(tmp_path, capsys):
    """Instead of each place, the numbers by file can be printed."""
    (tmp_path / "page.md").write_text("It is told and told.\n")

    main(["--count", "file", str(tmp_path / "page.md")], tmp_path)

    assert capsys.readouterr().out.split() == ["2", "page.md"]
