"""A program that loads a handler and all that it may load, with a given path alone."""

from __future__ import annotations

from collections.abc import Iterator

from support.sam import Packages

#: Arguments: the handler, further modules, and the folders of the path. Modules are
#: loaded by name because the layer loads what a plan does not use only when asked to.
PROGRAM = """
import importlib, sys
handler, others, *path = sys.argv[1:]
sys.path[:0] = path
module, _, name = handler.rpartition(".")
if not callable(getattr(importlib.import_module(module), name)):
    sys.exit(f"{handler} cannot be called")
for each in filter(None, others.split(",")):
    source = importlib.import_module(each).__file__
    if not any(source.startswith(folder + "/") for folder in path):
        sys.exit(f"{each} comes from {source}")
"""


def modules(packages: Packages) -> Iterator[str]:
    """The import names of our modules in the layers."""
    for layer in ("RuntimeLayerX86", "ValidatorsLayer"):
        root = packages.layer(layer)
        for package in ("hookgate", "hookgate_validators"):
            for path in sorted((root / package).rglob("*.py")):
                parts = path.relative_to(root).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
