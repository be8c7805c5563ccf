"""Ask a resolver one question, within bounds, and judge the records that come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.connection.trusting import context_of
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.model import Finding
from hookgate.probe import Trust
from hookgate.units import Duration, Pattern, seconds_text

if TYPE_CHECKING:
    from dns.message import Message

DnsTransport = Literal["udp", "tcp", "tls"]

_SHOWN = 10


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
            raise ValueError(
                "give at least one of " + ", ".join(type(self).model_fields)
            )
        return self

    def findings(self, section: str, records: Sequence[Record]) -> Iterator[Finding]:
        """State for each word whether the records of ``section`` meet it."""
        texts = [each.text for each in records]
        came = _listed(texts)
        for ok, wanted in self._held(records, texts):
            yield Finding(ok=ok, summary=f"{section}: expected {wanted}, came {came}")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsQuestion:
    """What to ask, and how."""

    name: str
    kind: str
    rdclass: str = "IN"
    recursion: bool = True
    transport: DnsTransport = "udp"
    trust: Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the resolver said."""

    rcode: str
    resolver: str
    sections: Mapping[str, Sequence[Record]]


def nameservers(file: str = "/etc/resolv.conf") -> Sequence[str]:
    """The resolvers of the system; in a VPC, the VPC's.

    Raises:
        CannotMeasure: there are none.
    """
    from dns.resolver import NoResolverConfiguration, Resolver  # noqa: PLC0415 - a plan may not use it

    try:
        return [str(each) for each in Resolver(file).nameservers]
    except NoResolverConfiguration as error:
        raise CannotMeasure(f"the system has no resolver: {error}") from None


def ask_dns(
    question: DnsQuestion, addresses: Sequence[str], port: int, deadline: Deadline
) -> Answer:
    """Ask the resolvers in turn, until one answers.

    Raises:
        NoAnswer: none answers in time, or what comes is no answer of RFC 1035.
        CannotMeasure: the question is none.
    """
    from dns.exception import DNSException  # noqa: PLC0415 - a plan may not use it
    from dns.message import make_query  # noqa: PLC0415 - as above

    try:
        query = make_query(question.name, question.kind, question.rdclass)
    except (DNSException, ValueError) as error:
        raise CannotMeasure(f"cannot ask for {question.name}: {error}") from None
    if not question.recursion:
        from dns.flags import RD  # noqa: PLC0415 - as above

        query.flags &= ~RD
    reasons = []
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            answer = _exchange(
                query, question, address, port, deadline.remaining / left
            )
        except (DNSException, OSError, EOFError) as error:
            reasons.append(f"{address}:{port}: {str(error) or type(error).__name__}")
        else:
            return _read(answer, f"{address}:{port}")
    raise NoAnswer(f"no resolver answered: {'; '.join(reasons)}")


def _exchange(
    query: Message, question: DnsQuestion, address: str, port: int, seconds: float
) -> Message:
    import dns.query  # noqa: PLC0415 - as above

    if question.transport == "udp":
        answer, _ = dns.query.udp_with_fallback(
            query, address, timeout=seconds, port=port, ignore_unexpected=True
        )
        return answer
    if question.transport == "tcp":
        return dns.query.tcp(query, address, timeout=seconds, port=port)
    return dns.query.tls(
        query,
        address,
        timeout=seconds,
        port=port,
        ssl_context=context_of(question.trust),
        server_hostname=question.trust.server_name or address,
    )


def _read(answer: Message, resolver: str) -> Answer:
    import dns.rcode  # noqa: PLC0415 - as above

    sections = {"answer": answer.answer, "authority": answer.authority}
    sections["additional"] = answer.additional
    return Answer(
        rcode=dns.rcode.to_text(answer.rcode()),
        resolver=resolver,
        sections={
            name: [
                Record(
                    text=f"{group.name} {group.ttl} {rdata.rdclass.name} "
                    f"{rdata.rdtype.name} {rdata}",
                    data=str(rdata),
                    ttl=group.ttl,
                )
                for group in section
                for rdata in group
            ]
            for name, section in sections.items()
        },
    )


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return (", ".join(repr(each[:200]) for each in texts[:_SHOWN]) or "none") + more
