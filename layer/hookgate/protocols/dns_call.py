"""Ask a resolver one question, within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hookgate.codes import Code
from hookgate.connection.trusting import context_of
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.probe import Trust
from hookgate.protocols.dns_records import Record

if TYPE_CHECKING:
    from dns.message import Message

DnsTransport = Literal["udp", "tcp", "tls"]


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
        raise CannotMeasure(
            f"the system has no resolver: {error}", code=Code.DNS_QUESTION
        ) from None


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
        raise CannotMeasure(
            f"cannot ask for {question.name}: {error}", code=Code.DNS_QUESTION
        ) from None
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
    raise NoAnswer(
        f"no resolver answered: {'; '.join(reasons)}", code=Code.DNS_NO_RESPONSE
    )


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
