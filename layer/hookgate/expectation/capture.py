"""Entries of ``capture``: a query of an answer, whose value is kept under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, PrivateAttr, model_validator

from hookgate.expectation.entry import ONE_QUERY, Named, nothing_beside, plain, query_of
from hookgate.expectation.filter_step import Step, check_chain
from hookgate.expectation.must import CONFIG, FILTERS, Filters, absent
from hookgate.expectation.queries import PLAIN
from hookgate.expectation.query import Query
from hookgate.probe import Reply


class Filtered(BaseModel):
    """A query without an argument in a capture: nothing or filters."""

    model_config = CONFIG

    filter: Filters = Field(default_factory=absent, description=FILTERS)


class Capture(Named):
    """One entry of ``capture``: a query, and filters if any."""

    model_config = ONE_QUERY

    body: Filtered = plain("body")
    duration: Filtered = plain("duration")
    status: Filtered = plain("status")
    http_version: Filtered = plain("http_version")
    bytes: Filtered = plain("bytes")
    size: Filtered = plain("size")
    redirects: Filtered = plain("redirects")
    url: Filtered = plain("url")
    peer: Filtered = plain("peer")
    filter: Filters = Field(default_factory=absent, description=FILTERS)
    secret: bool = Field(
        False, strict=True, description="Whether the value must appear in no output."
    )

    _query: Query = PrivateAttr()
    _steps: Sequence[Step] = PrivateAttr()

    @model_validator(mode="after")
    def _compile(self) -> Capture:
        self._query = query_of(self)
        steps: Sequence[Step] | None = self.filter
        if self._query.name in PLAIN:
            steps = getattr(self, self._query.name).filter
            nothing_beside(self, self._query.name, ("filter",))
        self._steps = steps or ()
        kind, whole = self._query.kinds()
        check_chain(self._steps, whole or kind)
        return self

    def take(self, reply: Reply) -> tuple[str, Any]:
        """Where the value was looked for, and the value after the filters."""
        found = self._query(reply)
        value = found.value
        for step in self._steps:
            value = step(value)
        return found.where, value
