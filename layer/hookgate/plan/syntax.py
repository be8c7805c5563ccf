"""What PyYAML says about broken YAML, in words that say what to do."""

from __future__ import annotations

import yaml

from hookgate.errors import Place
from hookgate.plan.problems import Problem

# The first line whose fragment is in PyYAML's own words wins; libyaml and the parser
# in Python word some of them differently.
_PLAIN = (
    (
        "mapping values are not allowed",
        (
            "a ':' cannot stand here; put the text in quotes, or check the indentation "
            "of this line and the one before"
        ),
    ),
    (
        "cannot start any token",
        "this character cannot start a value; put the text in quotes",
    ),
    ("end of stream", "the quote that opens here is never closed"),
    (
        "escape",
        (
            "a backslash in double quotes starts an escape, and there is no such one; "
            "put the text in single quotes"
        ),
    ),
    ("',' or ']'", "the list in '[' is not closed; add ',' or ']'"),
    ("',' or '}'", "the mapping in '{' is not closed; add ',' or '}'"),
    (
        "expected key",
        (
            "this does not continue what is above; check the indentation, and put text "
            "that holds quotes in quotes of the other kind"
        ),
    ),
    (
        "expected '-'",
        (
            "the list above goes on with '- '; start this line with it or check the "
            "indentation"
        ),
    ),
    (
        "<block end>",
        (
            "this does not continue what is above; check the indentation, and put text "
            "that holds quotes in quotes of the other kind"
        ),
    ),
    (
        "sequence entries are not allowed",
        "a list cannot start on this line; start it on the next one, indented",
    ),
    ("expected ':'", "a ':' is missing after this key"),
    (
        "node content",
        (
            "a value is missing here, or a bracket was opened and not closed, or "
            "closed and not opened"
        ),
    ),
    ("document start", "the file is already over here; remove what follows"),
    ("alias", "a '*' starts an alias, which Hookgate does not take; put it in quotes"),
    (
        "anchor",
        "a '&' starts an anchor, which Hookgate does not take; put it in quotes",
    ),
    ("tag", "a '!' starts a tag, which Hookgate does not take; put it in quotes"),
    ("directive", "Hookgate takes no '%' directive; remove the line"),
    ("incompatible YAML", "Hookgate takes no '%YAML' directive; remove the line"),
    (
        "block scalar",
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
        return Place(file), f"this is not YAML: {str(error).splitlines()[0]}"
    said = f"{error.problem or ''} {error.context or ''}"
    mark = error.problem_mark or error.context_mark
    if "end of stream" in said:
        mark = error.context_mark or mark
    what = next(
        (plain for fragment, plain in _PLAIN if fragment in said),
        f"this is not YAML: {said.strip()}",
    )
    return (Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)), what
