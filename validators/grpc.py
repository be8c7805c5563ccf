"""``use: grpc``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from hookgate import (
    Code,
    DeploymentContext,
    Duration,
    Encryption,
    Finding,
    InvalidValue,
    Tools,
    Trust,
    Validator,
    ask_health,
)


class Grpc(Validator):
    """Does gRPC's health service say that the new version serves?

    It is the protocol of grpc.io/docs/guides/health-checking. The identity of the
    target is read from the metadata before the answer. A load balancer passes gRPC on
    an HTTPS listener whose target group speaks it, or as TCP.

    Example:
        - use: grpc
          name: the basket serves
          with:
            service: shop.Basket
            metadata: {x-hookgate: check}
            timeout: 5s
            within: 60s
    """

    asks_listener: ClassVar[bool] = True
    second_layer: ClassVar[tuple[str, ...]] = ("grpc", "grpc_health")

    service: str = Field(
        "",
        max_length=512,
        description="The service to ask for; empty for the server as a whole.",
    )
    status: Literal["SERVING", "NOT_SERVING", "NOT_FOUND", "UNIMPLEMENTED"] = Field(
        "SERVING", description="What the answer must be."
    )
    metadata: Mapping[str, str] = Field({}, description="Metadata to send.")
    tls: bool | None = Field(
        None, description="Whether to speak TLS; if left out, as the listener does."
    )
    encryption: Encryption = Field(
        default_factory=Trust,
        description="Whom to trust with TLS, and which name to ask for.",
    )
    listener: Literal["test", "production"] = Field(
        "test",
        description="Which listener to ask; production only at AfterAllowTraffic.",
    )
    timeout: Duration = Field(
        10.0, gt=0, description="The bound of the call, connecting and all."
    )

    @model_validator(mode="after")
    def _verifies(self) -> Grpc:
        if not self.encryption.verify:
            raise InvalidValue(
                "gRPC always verifies the certificate: give encryption.ca the "
                "authority that signed it",
                code=Code.OPTION_TLS,
            )
        if (self.encryption.minimum, self.encryption.maximum) != ("1.2", "1.3"):
            raise InvalidValue(
                "gRPC chooses the version of TLS itself: leave out min_version and "
                "max_version, and judge them with use: tls",
                code=Code.OPTION_TLS,
            )
        return self

    def worst_case(self) -> float:
        """As long as the call may take."""
        return self.timeout

    def check(
        self,
        context: DeploymentContext,
        tools: Tools,
    ) -> Iterator[Finding]:
        """Ask the health service."""
        place = tools.connect(self.listener)
        encrypted = place.is_encrypted if self.tls is None else self.tls
        found = ask_health(
            place,
            self.service,
            metadata=self.metadata,
            trust=self.encryption if encrypted else None,
            seconds=self.timeout,
        )
        why = f" ({found.details})" if found.details else ""
        name = self.service or "the server"
        yield Finding(
            ok=found.said == self.status,
            summary=f"{name} is {found.said}{why}, expected {self.status}",
            evidence={"service": self.service, "place": place.place},
            code=Code.GRPC_STATUS,
        )
