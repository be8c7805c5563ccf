"""``use: dns``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hookgate import (
    Code,
    DeploymentContext,
    DnsQuestion,
    DnsRecords,
    DnsTransport,
    Duration,
    Encryption,
    Finding,
    Tools,
    Trust,
    Validator,
    ask_dns,
    nameservers,
)

_OF_THE_RESOLVER = "a resolver answered, which says nothing of green"


class Dns(Validator):
    """Does a name resolve as it should?

    Questions and answers are those of RFC 1035; TLS is that of RFC 7858. A truncated
    answer over UDP is asked for again over TCP.

    Example:
        - use: dns
          name: the shop's name
          with:
            query: shop.example.com
            type: A
            resolver: 10.0.0.2:53
            answer: {equals: [192.0.2.1, 192.0.2.2], ttl_at_most: 60s}
    """

    asks_listener: ClassVar[bool] = False

    query: str = Field(min_length=1, max_length=253, description="The name to ask for.")
    type: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,10}$")] = Field(
        "A", description="The type of record, such as A, AAAA, CNAME, MX, SRV or TXT."
    )
    rdclass: Literal["IN", "CH", "HS"] = Field(
        "IN", description="The class of the question."
    )
    recursion: bool = Field(True, description="Whether to ask for recursion.")
    transport: DnsTransport = Field("udp", description="How to ask.")
    encryption: Encryption = Field(
        default_factory=Trust,
        description="Whom to trust with the transport tls, and which name to ask for.",
    )
    resolver: str | None = Field(
        None,
        pattern=r"^\S+:\d+$",
        description="A host:port of target.allow to ask; if left out, the system's "
        "resolver, in a VPC the VPC's.",
    )
    rcodes: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]{1,16}$")], ...] = Field(
        ("NOERROR",),
        min_length=1,
        max_length=20,
        description="Which codes of the answer are right, such as NXDOMAIN.",
    )
    answer: DnsRecords | None = Field(
        None,
        description="What the answer's records must be; there must be one, unless it "
        "says equals: [], or only other sections are looked at.",
    )
    authority: DnsRecords | None = Field(
        None, description="What the records of the authority section must be."
    )
    additional: DnsRecords | None = Field(
        None, description="What the records of the additional section must be."
    )
    timeout: Duration = Field(5.0, gt=0, description="The bound of the exchange.")

    def worst_case(self) -> float:
        """As long as the exchange may take."""
        return self.timeout

    def check(
        self,
        context: DeploymentContext,
        tools: Tools,
    ) -> Iterator[Finding]:
        """Ask, and hold code and records against what is expected."""
        deadline = tools.deadline.within(self.timeout)
        if self.resolver:
            place = tools.connect(self.resolver)
            addresses, port = place.addresses(deadline.remaining), place.port
        else:
            addresses, port = nameservers(), 53 if self.transport != "tls" else 853
        question = DnsQuestion(
            name=self.query,
            kind=self.type,
            rdclass=self.rdclass,
            recursion=self.recursion,
            transport=self.transport,
            trust=self.encryption,
        )
        found = ask_dns(question, addresses, port, deadline)
        verifies = self.transport != "tls" or self.encryption.verify
        yield Finding(
            ok=found.rcode in self.rcodes,
            summary=f"{self.query} {self.type} is {found.rcode}, expected "
            f"{' or '.join(self.rcodes)}",
            evidence={"resolver": found.resolver},
            optout=_OF_THE_RESOLVER if verifies else self.encryption.optout,
            code=Code.DNS_CODE,
        )
        if not found.sections["answer"] and self._wants_records(found.rcode):
            summary = f"answer: expected a record of type {self.type}, came none"
            yield Finding(ok=False, summary=summary, code=Code.DNS_RECORDS)
        expected = {
            "answer": self.answer,
            "authority": self.authority,
            "additional": self.additional,
        }
        for section, records in expected.items():
            if records:
                yield from records.findings(section, found.sections[section])

    def _wants_records(self, rcode: str) -> bool:
        """Whether an answer without records is none: the name is there, and no more."""
        if rcode != "NOERROR":
            return False
        if self.answer is None:
            return not (self.authority or self.additional)
        # Every other word finds fault with silence itself.
        return self.answer.model_fields_set == {"none"}
