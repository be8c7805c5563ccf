"""What the records of a DNS answer must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.model import Finding
from hookgate.units import Duration, Pattern, seconds_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record: its whole text, its data alone, and its time to live in seconds."""

    text: str
    data: str
    ttl: int


class DnsRecords(BaseModel):
    """What the records of one section of the answer must be.

    A regular expression is matched against a record's whole text, such as
    ``shop.example.com. 60 IN A 192.0.2.1``.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    equals: tuple[str, ...] | None = Field(
        None, max_length=100, description="Their data is exactly this, in any order."
    )
    any: Pattern | None = Field(None, description="One of them holds this.")
    all: Pattern | None = Field(None, description="There are some, and all hold this.")
    none: Pattern | None = Field(None, description="None of them holds this.")
    not_all: Pattern | None = Field(None, description="At least one does not hold it.")
    ttl_at_least: Duration | None = Field(
        None, description="The least time to live of each."
    )
    ttl_at_most: Duration | None = Field(
        None, description="The greatest time to live of each."
    )

    @model_validator(mode="after")
    def _something(self) -> DnsRecords:
        if not self.model_fields_set:
            raise InvalidValue(
                "give at least one of " + ", ".join(type(self).model_fields),
                code=Code.OPTION_ONE_OF,
            )
        return self

    def findings(self, section: str, records: Sequence[Record]) -> Iterator[Finding]:
        """State for each word whether the records of ``section`` meet it."""
        texts = [each.text for each in records]
        came = _listed(texts)
        for ok, wanted in self._held(records, texts):
            yield Finding(
                ok=ok,
                summary=f"{section}: expected {wanted}, came {came}",
                code=Code.DNS_RECORDS,
            )

    def _held(
        self, records: Sequence[Record], texts: Sequence[str]
    ) -> Iterator[tuple[bool, str]]:
        if self.equals is not None:
            same = sorted(self.equals) == sorted(each.data for each in records)
            yield same, f"exactly {_listed(self.equals)}"
        if self.any:
            held = [bool(self.any.search(each)) for each in texts]
            yield any(held), f"a record with {self.any.pattern}"
        if self.all:
            held = [bool(self.all.search(each)) for each in texts]
            yield bool(held) and all(held), f"only records with {self.all.pattern}"
        if self.none:
            held = [bool(self.none.search(each)) for each in texts]
            yield not any(held), f"no record with {self.none.pattern}"
        if self.not_all:
            held = [bool(self.not_all.search(each)) for each in texts]
            yield not all(held), f"a record without {self.not_all.pattern}"
        yield from self._lived([each.ttl for each in records])

    def _lived(self, ttls: Sequence[int]) -> Iterator[tuple[bool, str]]:
        if self.ttl_at_least is not None:
            ok = bool(ttls) and min(ttls) >= self.ttl_at_least
            yield ok, f"a TTL of {seconds_text(self.ttl_at_least)} or more"
        if self.ttl_at_most is not None:
            ok = bool(ttls) and max(ttls) <= self.ttl_at_most
            yield ok, f"a TTL of {seconds_text(self.ttl_at_most)} or less"


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return (", ".join(repr(each[:200]) for each in texts[:_SHOWN]) or "none") + more


_SHOWN = 10
