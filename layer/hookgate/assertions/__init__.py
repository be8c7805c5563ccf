r"""What a plan expects of an answer and takes from it: one grammar.

A query, filters if any, and a predicate. A query with an argument has the rest beside
it, a query without one has it inside::

    expect:
      - {header: Content-Type, contains: json}
      - {jsonpath: $.status, equals: UP}
      - {jsonpath: $.items, filter: [count], above: 3}
      - {body: {matches: 'v\d+'}}
      - {duration: {below: 500ms}}

A capture (``hookgate.assertions.assertion``) is the same without a predicate.

The package itself holds the type of an option; its modules are imported with the
first value.
"""

from typing import TYPE_CHECKING

from hookgate.deferred import deferred

if TYPE_CHECKING:
    from hookgate.assertions.assertion import Expectation
else:
    Expectation = deferred("hookgate.assertions.assertion", "Expectation")

__all__ = ["Expectation"]
