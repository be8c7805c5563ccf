"""A plan's text as plain data, with the place of every key and value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from hookgate.codes import Code
from hookgate.errors import Place
from hookgate.plan.composer import Composer, Path
from hookgate.plan.problems import Problems, shown
from hookgate.plan.source import read
from hookgate.plan.syntax import explained

# libyaml where there is one; both give the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a plan says, and where it says it."""

    file: str
    data: Mapping[str, Any]
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def value(self, path: Path) -> Place:
        """Where the value at ``path`` stands, or else the nearest value around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values[path]

    def key(self, path: Path) -> Place:
        """Where the key at ``path`` stands; for an item of a list, the item."""
        return self.keys.get(path) or self.value(path)


def parse(
    source: str | bytes, file: str, starts: str = "version: 1"
) -> tuple[Document, Problems]:
    """Read YAML strictly.

    Args:
        source: the plan; bytes are taken as UTF-8.
        file: its name, for messages.
        starts: how such a file starts, for messages.

    Returns:
        The data, and the problems that did not stop the reading, such as a duplicate
        key: other checks add theirs.

    Raises:
        PlanError: it cannot be read on.
    """
    composer = Composer(file)
    try:
        for event in yaml.parse(read(source, file), Loader=_LOADER):
            composer.take(event)
    except yaml.YAMLError as error:
        composer.problems.extend([explained(error, file)])
        raise composer.problems.error() from None
    return _document(composer, starts), composer.problems


def _document(composer: Composer, starts: str) -> Document:
    """Take the one mapping that a plan is.

    Raises:
        PlanError: there is nothing, or something else.
    """
    data = composer.documents[0] if composer.documents else None
    if isinstance(data, dict):
        return Document(
            file=composer.file, data=data, values=composer.values, keys=composer.keys
        )
    place = composer.values.get((), Place(composer.file))
    if data is None:
        code = Code.YAML_EMPTY
        what = f"the file is empty, and silence is not consent; it starts with {starts}"
    else:
        code = Code.YAML_NOT_A_MAPPING
        said = "a list" if isinstance(data, list) else f"only {shown(str(data))}"
        what = f"this must be a mapping that starts with {starts}, and is {said}"
    composer.problems.add(place, code, what)
    raise composer.problems.error()
