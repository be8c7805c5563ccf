"""The second layer: heavy libraries that only some plans need.

A plan that needs one that is not there is refused when it is read, before anything
was asked.
"""

from __future__ import annotations

from importlib.util import find_spec

from hookgate.codes import Code
from hookgate.errors import InvalidValue

#: The parameter of template.yaml that brings the layer.
PARAMETER = "SecondLayer"


def demand(what: str, *modules: str) -> None:
    """Demand that the libraries of something in a plan are there.

    Nothing is imported: a look at the path is all. The error is a ValueError, so that
    a pydantic validator may call this and the reader learns the place in the plan.

    Args:
        what: who needs them, as the plan says it, such as ``xpath``.
        modules: their top-level modules, such as ``lxml``.

    Raises:
        ValueError: one is missing; names the parameter to set.
    """
    missing = [each for each in modules if find_spec(each) is None]
    if missing:
        raise InvalidValue(
            f"{what} needs the second layer, which is not installed "
            f"({', '.join(missing)} is missing): deploy with {PARAMETER}=true",
            code=Code.SECOND_LAYER,
        )
