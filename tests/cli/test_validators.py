"""``hookgate validators``."""

import pytest

from hookgate.registry import names
from hookgate_cli.main import hookgate, run
from hookgate_cli.validators import kind


def test_every_validator_is_listed(capsys):
    """Each validator stands in the list with its question."""
    assert 0 == run(hookgate, ["validators"])
    output = capsys.readouterr().out
    assert [True] * len(names()) == [each in output for each in names()]


@pytest.mark.parametrize("name", names())
def test_every_validator_tells_its_options(name, capsys):
    """Each validator's reference can be shown."""
    assert 0 == run(hookgate, ["validators", name])
    assert "Options of every validator" in capsys.readouterr().out


def test_options_inside_options_are_shown(capsys):
    """What a list of assertions takes is shown too."""
    run(hookgate, ["validators", "http"])
    assert "jsonpath" in capsys.readouterr().out


def test_unknown_validator_is_wrong_input(capsys):
    """A name that is none gets a suggestion."""
    assert 2 == run(hookgate, ["validators", "htp"])
    assert "did you mean 'http'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param({"type": "integer"}, "integer", id="type"),
        pytest.param({"enum": ["a", "b"]}, "a | b", id="choice"),
        pytest.param({"const": 1}, "1", id="constant"),
        pytest.param({"$ref": "#/$defs/_Page"}, "Page", id="another table"),
        pytest.param({"type": "string", "examples": ["5s"]}, "duration", id="unit"),
        pytest.param({"examples": ["< 0.1%"]}, "percentage bound", id="bound"),
        pytest.param(
            {
                "anyOf": [
                    {"type": "integer"},
                    {"type": "array", "items": {"type": "integer"}},
                ]
            },
            "integer | list",
            id="one or several",
        ),
        pytest.param(
            {"type": "object", "patternProperties": {"^m": {"$ref": "#/A"}}},
            "map of A",
            id="map",
        ),
        pytest.param({"format": "regex"}, "regular expression", id="pattern"),
        pytest.param({}, "any", id="anything"),
        pytest.param(
            {"anyOf": [{"type": "string"}, {"type": "null"}]}, "string", id="or nothing"
        ),
        pytest.param(
            {"type": "array", "items": {"oneOf": [{"$ref": "#/A"}, {"$ref": "#/B"}]}},
            "list of A | B",
            id="list",
        ),
    ],
)
def test_type_is_described_in_words(field, expected):
    """A JSON Schema becomes a few words."""
    assert expected == kind(field)


def test_own_options_come_first(capsys):
    """What only this validator takes stands above what every validator takes."""
    run(hookgate, ["validators", "http"])
    output = capsys.readouterr().out
    assert output.index("  path  string") < output.index("  within  ")


def test_prose_flows_to_the_width(capsys, monkeypatch):
    """A docstring's own line ends are not kept: the terminal breaks its lines."""
    monkeypatch.setenv("COLUMNS", "300")
    run(hookgate, ["validators", "dns"])
    assert "RFC 7858. A truncated response over UDP" in capsys.readouterr().out
