r"""Assertions on a response and captures from it: one grammar.

An assertion is a query, filters if any, and a predicate. They stand beside a query
that has an argument, and inside one that has none::

    expect:
      - {header: Content-Type, contains: json}
      - {jsonpath: $.status, equals: UP}
      - {jsonpath: $.items, filter: [count], above: 3}
      - {body: {matches: 'v\d+'}}
      - {duration: {below: 500ms}}

A capture is the same without a predicate. The package itself has only the type of an
option; its modules are imported with the first value.
"""

from typing import TYPE_CHECKING

from hookgate.units import deferred

if TYPE_CHECKING:
    from hookgate.assertions.assertion import Assertion
else:
    Assertion = deferred("hookgate.assertions.assertion", "Assertion")

__all__ = ["Assertion"]
