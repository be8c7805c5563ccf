r"""What a plan expects of an answer and takes from it: one grammar.

A query, filters if any, and a predicate. A query with an argument has the rest beside
it, a query without one has it inside::

    expect:
      - {header: Content-Type, contains: json}
      - {jsonpath: $.status, equals: UP}
      - {jsonpath: $.items, filter: [count], above: 3}
      - {body: {matches: 'v\d+'}}
      - {duration: {below: 500ms}}

A capture (``hookgate.expectation.capture``) is the same without a predicate.
"""

from hookgate.expectation.entry import Expectation, judge
from hookgate.expectation.must import Must, ValueIs, judge_value
from hookgate.expectation.value import Missing, Unreadable

__all__ = [
    "Expectation",
    "Missing",
    "Must",
    "Unreadable",
    "ValueIs",
    "judge",
    "judge_value",
]
