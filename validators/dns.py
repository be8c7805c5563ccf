"""``use: dns``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate import (
    CannotMeasure,
    DeploymentContext,
    Duration,
    Finding,
    NoAnswer,
    Pattern,
    Tls,
    Tools,
    Validator,
)
from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import InvalidValue
from hookgate.http.tls import context_of
from hookgate.redaction import masked
from hookgate.units import HostAndPort, TextFormat, seconds_text

if TYPE_CHECKING:
    from dns.message import Message

_OF_THE_RESOLVER = "a resolver responded, which shows nothing about green"


class Dns(Validator):
    """Does a name resolve as expected?

    Queries and responses follow RFC 1035; TLS follows RFC 7858. A truncated response
    over UDP is requested again over TCP.

    Example:
        - use: dns
          name: the shop's name
          with:
            query: shop.example.com
            type: A
            resolver: 10.0.0.2:53
            answer: {equals: [192.0.2.1, 192.0.2.2], ttl_at_most: 60s}
    """

    query: str = Field(min_length=1, max_length=253, description="The name to resolve.")
    type: Annotated[
        str, TextFormat(r"^[A-Z0-9]{1,10}\Z", "a record type, such as AAAA")
    ] = Field(
        "A", description="The type of record, such as A, AAAA, CNAME, MX, SRV or TXT."
    )
    rdclass: Literal["IN", "CH", "HS"] = Field(
        "IN", description="The class of the question."
    )
    recursion: bool = Field(True, description="Whether to request recursion.")
    transport: Literal["udp", "tcp", "tls"] = Field(
        "udp", description="The transport of the query."
    )
    tls: Tls
    resolver: HostAndPort | None = Field(
        None,
        description="The resolver, a host:port of target.allow; by default the "
        "system's resolver, which in a VPC is the VPC's.",
    )
    rcodes: tuple[
        Annotated[
            str, TextFormat(r"^[A-Z0-9]{1,16}\Z", "a response code, such as NXDOMAIN")
        ],
        ...,
    ] = Field(
        ("NOERROR",),
        min_length=1,
        max_length=20,
        description="The expected response codes, such as NXDOMAIN.",
    )
    answer: DnsRecords | None = Field(
        None,
        description="Conditions on the records of the answer section. It must "
        "contain a record, unless this is equals: [] or only other "
        "sections are checked.",
    )
    authority: DnsRecords | None = Field(
        None, description="Conditions on the records of the authority section."
    )
    additional: DnsRecords | None = Field(
        None, description="Conditions on the records of the additional section."
    )
    timeout: Duration = Field(5.0, gt=0, description="Maximum time of the query.")

    def worst_case(self) -> float:
        """The timeout."""
        return self.timeout

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Send the query, and check the response code and the records."""
        deadline = tools.deadline.within(self.timeout)
        if self.resolver:
            place = tools.connect(self.resolver)
            addresses, port = place.addresses(deadline.remaining), place.port
        else:
            addresses, port = nameservers(), 53 if self.transport != "tls" else 853
        response, resolver = self._ask(addresses, port, deadline)
        rcode, sections = _code(response), _sections(response)
        verifies = self.transport != "tls" or self.tls.verify
        yield Finding(
            ok=rcode in self.rcodes,
            summary=f"{self.query} {self.type}: expected {' or '.join(self.rcodes)}, "
            f"got {rcode}",
            evidence={"resolver": resolver},
            waiver=_OF_THE_RESOLVER if verifies else self.tls.waiver,
            code=Code.DNS_CODE,
        )
        if not sections["answer"] and self._needs_answer(rcode):
            summary = f"answer: expected a record of type {self.type}, got none"
            yield Finding(ok=False, summary=summary, code=Code.DNS_RECORDS)
        for section, records in sections.items():
            if expected := getattr(self, section):
                yield from expected.findings(section, records)

    def _needs_answer(self, rcode: str) -> bool:
        """Whether an empty answer section fails: the name exists without records."""
        if rcode != "NOERROR":
            return False
        if self.answer is None:
            return not (self.authority or self.additional)
        # Every other option fails without records.
        return self.answer.model_fields_set == {"none"}

    def _ask(
        self, addresses: Sequence[str], port: int, deadline: Deadline
    ) -> tuple[Message, str]:
        """Query the resolvers in turn, until one responds; also returns which one."""
        from dns.exception import DNSException  # noqa: PLC0415 - a plan may not use it
        from dns.flags import RD  # noqa: PLC0415 - as above
        from dns.message import make_query  # noqa: PLC0415 - as above

        try:
            query = make_query(self.query, self.type, self.rdclass)
        except (DNSException, ValueError) as error:
            raise CannotMeasure(
                f"cannot query {self.query}: {error}", code=Code.DNS_QUESTION
            ) from None
        if not self.recursion:
            query.flags &= ~RD
        reasons = []
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            resolver = f"{address}:{port}"
            try:
                seconds = deadline.remaining / left
                return self._exchange(query, address, port, seconds), resolver
            except (DNSException, OSError, EOFError) as error:
                reasons.append(f"{resolver}: {str(error) or type(error).__name__}")
        raise NoAnswer(
            f"no resolver responded: {'; '.join(reasons)}", code=Code.DNS_NO_RESPONSE
        )

    def _exchange(
        self, query: Message, address: str, port: int, seconds: float
    ) -> Message:
        import dns.query  # noqa: PLC0415 - as above

        if self.transport == "udp":
            answer, _ = dns.query.udp_with_fallback(
                query, address, timeout=seconds, port=port, ignore_unexpected=True
            )
            return answer
        if self.transport == "tcp":
            return dns.query.tcp(query, address, timeout=seconds, port=port)
        return dns.query.tls(
            query,
            address,
            timeout=seconds,
            port=port,
            ssl_context=context_of(self.tls),
            server_hostname=self.tls.server_name or address,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """One record: its whole text, its data alone, and its time to live in seconds."""

    text: str
    data: str
    ttl: int


class DnsRecords(BaseModel):
    """Conditions on the records of one section of the response.

    A regular expression is matched against a record's whole text, such as
    ``shop.example.com. 60 IN A 192.0.2.1``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    equals: tuple[str, ...] | None = Field(
        None,
        max_length=100,
        description="The data of the records, complete and in any order.",
    )
    any: Pattern | None = Field(None, description="At least one record matches.")
    all: Pattern | None = Field(None, description="There are records, and all match.")
    none: Pattern | None = Field(None, description="No record matches.")
    not_all: Pattern | None = Field(
        None, description="At least one record does not match."
    )
    ttl_at_least: Duration | None = Field(
        None, description="Minimum time to live of each record."
    )
    ttl_at_most: Duration | None = Field(
        None, description="Maximum time to live of each record."
    )

    @model_validator(mode="after")
    def _has_a_condition(self) -> DnsRecords:
        if not self.model_fields_set:
            raise InvalidValue(
                "give at least one of " + ", ".join(type(self).model_fields),
                code=Code.OPTION_ONE_OF,
            )
        return self

    def findings(self, section: str, records: Sequence[DnsRecord]) -> Iterator[Finding]:
        """A finding for each option: whether the records of ``section`` match it."""
        got = _listed([each.text for each in records])
        for ok, wanted in self._results(records):
            yield Finding(
                ok=ok,
                summary=f"{section}: expected {wanted}, got {got}",
                code=Code.DNS_RECORDS,
            )

    def _results(self, records: Sequence[DnsRecord]) -> Iterator[tuple[bool, str]]:
        def matched(pattern: re.Pattern[str]) -> list[bool]:
            return [bool(pattern.search(each.text)) for each in records]

        ttls = [each.ttl for each in records]
        if self.equals is not None:
            same = sorted(self.equals) == sorted(each.data for each in records)
            yield same, f"exactly {_listed(self.equals)}"
        if self.any:
            yield any(matched(self.any)), f"a record with {self.any.pattern}"
        if self.all:
            every = bool(records) and all(matched(self.all))
            yield every, f"only records with {self.all.pattern}"
        if self.none:
            yield not any(matched(self.none)), f"no record with {self.none.pattern}"
        if self.not_all:
            other = not all(matched(self.not_all))
            yield other, f"a record without {self.not_all.pattern}"
        if self.ttl_at_least is not None:
            ok = bool(ttls) and min(ttls) >= self.ttl_at_least
            yield ok, f"a TTL of {seconds_text(self.ttl_at_least)} or more"
        if self.ttl_at_most is not None:
            ok = bool(ttls) and max(ttls) <= self.ttl_at_most
            yield ok, f"a TTL of {seconds_text(self.ttl_at_most)} or less"


_SHOWN = 10


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return (
        ", ".join(repr(masked(each)[:200]) for each in texts[:_SHOWN]) or "none"
    ) + more


def nameservers(file: str = "/etc/resolv.conf") -> Sequence[str]:
    """The resolvers of the system; in a VPC, the VPC's.

    Raises:
        CannotMeasure: there are none.
    """
    from dns.resolver import NoResolverConfiguration, Resolver  # noqa: PLC0415 - a plan may not use it

    try:
        return [str(each) for each in Resolver(file).nameservers]
    except NoResolverConfiguration as error:
        raise CannotMeasure(
            f"the system has no resolver: {error}", code=Code.DNS_QUESTION
        ) from None


def _code(response: Message) -> str:
    from dns.rcode import to_text  # noqa: PLC0415 - as above

    return to_text(response.rcode())


def _sections(response: Message) -> Mapping[str, Sequence[DnsRecord]]:
    groups = {
        "answer": response.answer,
        "authority": response.authority,
        "additional": response.additional,
    }
    return {
        name: [
            DnsRecord(
                text=f"{group.name} {group.ttl} {rdata.rdclass.name} "
                f"{rdata.rdtype.name} {rdata}",
                data=str(rdata),
                ttl=group.ttl,
            )
            for group in section
            for rdata in group
        ]
        for name, section in groups.items()
    }
