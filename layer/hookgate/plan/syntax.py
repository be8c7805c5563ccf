"""What PyYAML says about broken YAML, in words that say what to do."""

from __future__ import annotations

import yaml

from hookgate.codes import Code
from hookgate.errors import Place, Problem

# The first line whose fragment is in PyYAML's own words wins; libyaml and the parser
# in Python word some of them differently.
_PLAIN = (
    (
        "mapping values are not allowed",
        Code.YAML_SYNTAX,
        (
            "a ':' cannot stand here; put the text in quotes, or check the indentation "
            "of this line and the one before"
        ),
    ),
    (
        "cannot start any token",
        Code.YAML_SYNTAX,
        "this character cannot start a value; put the text in quotes",
    ),
    ("end of stream", Code.YAML_SYNTAX, "the quote that opens here is never closed"),
    (
        "escape",
        Code.YAML_SYNTAX,
        (
            "a backslash in double quotes starts an escape, and there is no such one; "
            "put the text in single quotes"
        ),
    ),
    ("',' or ']'", Code.YAML_SYNTAX, "the list in '[' is not closed; add ',' or ']'"),
    (
        "',' or '}'",
        Code.YAML_SYNTAX,
        "the mapping in '{' is not closed; add ',' or '}'",
    ),
    (
        "expected key",
        Code.YAML_SYNTAX,
        (
            "this does not continue what is above; check the indentation, and put text "
            "that holds quotes in quotes of the other kind"
        ),
    ),
    (
        "expected '-'",
        Code.YAML_SYNTAX,
        (
            "the list above goes on with '- '; start this line with it or check the "
            "indentation"
        ),
    ),
    (
        "<block end>",
        Code.YAML_SYNTAX,
        (
            "this does not continue what is above; check the indentation, and put text "
            "that holds quotes in quotes of the other kind"
        ),
    ),
    (
        "sequence entries are not allowed",
        Code.YAML_SYNTAX,
        "a list cannot start on this line; start it on the next one, indented",
    ),
    ("expected ':'", Code.YAML_SYNTAX, "a ':' is missing after this key"),
    (
        "node content",
        Code.YAML_SYNTAX,
        (
            "a value is missing here, or a bracket was opened and not closed, or "
            "closed and not opened"
        ),
    ),
    (
        "document start",
        Code.YAML_SYNTAX,
        "the file is already over here; remove what follows",
    ),
    (
        "alias",
        Code.YAML_FEATURE,
        "a '*' starts an alias, which Hookgate does not take; put it in quotes",
    ),
    (
        "anchor",
        Code.YAML_FEATURE,
        "a '&' starts an anchor, which Hookgate does not take; put it in quotes",
    ),
    (
        "tag",
        Code.YAML_FEATURE,
        "a '!' starts a tag, which Hookgate does not take; put it in quotes",
    ),
    (
        "directive",
        Code.YAML_FEATURE,
        "Hookgate takes no '%' directive; remove the line",
    ),
    (
        "incompatible YAML",
        Code.YAML_FEATURE,
        "Hookgate takes no '%YAML' directive; remove the line",
    ),
    (
        "block scalar",
        Code.YAML_SYNTAX,
        (
            "after '|' or '>' only '-', '+' or a digit may follow; start the text on "
            "the next line"
        ),
    ),
)


def explained(error: yaml.YAMLError, file: str) -> Problem:
    """Say where YAML ends to be YAML, and what to do about it.

    Args:
        error: what PyYAML raised.
        file: the name of the plan.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        what = f"this is not YAML: {str(error).splitlines()[0]}"
        return Problem(Place(file), Code.YAML_SYNTAX, what)
    said = f"{error.problem or ''} {error.context or ''}"
    mark = error.problem_mark or error.context_mark
    if "end of stream" in said:
        mark = error.context_mark or mark
    code, what = next(
        ((code, plain) for fragment, code, plain in _PLAIN if fragment in said),
        (Code.YAML_SYNTAX, f"this is not YAML: {said.strip()}"),
    )
    at = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    return Problem(at, code, what)
