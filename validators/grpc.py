"""``use: grpc``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from hookgate import (
    CannotMeasure,
    DeploymentContext,
    Duration,
    Finding,
    NoAnswer,
    Tools,
    Trust,
    Validator,
)
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.http import ListenerName, TlsChoice
from hookgate.http.connection import Destination
from hookgate.redaction import masked
from hookgate.version import VERSION


class Grpc(Validator):
    """Does the gRPC health service report the expected status?

    It uses the protocol of grpc.io/docs/guides/health-checking. The identity check
    reads the initial metadata of the response. A load balancer forwards gRPC on an
    HTTPS listener whose target group has the protocol version gRPC, or as TCP.

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
        description="The service whose health to request; empty for the whole server.",
    )
    status: Literal["SERVING", "NOT_SERVING", "NOT_FOUND", "UNIMPLEMENTED"] = Field(
        "SERVING", description="The expected status, or the expected gRPC error code."
    )
    metadata: Mapping[str, str] = Field({}, description="Metadata to send.")
    tls: TlsChoice = Field(
        None,
        description="Whether to use TLS: true, false, or the TLS settings, which turn "
        "it on. By default, TLS is used if the listener uses it.",
    )
    listener: ListenerName = "test"
    timeout: Duration = Field(
        10.0, gt=0, description="Maximum time of the call, with connecting."
    )

    @model_validator(mode="after")
    def _verifies(self) -> Grpc:
        if self.tls and not self.tls.verify:
            raise InvalidValue(
                "gRPC always verifies the certificate: set tls.ca to the certificate "
                "of the authority that signed it",
                code=Code.OPTION_TLS,
            )
        if self.tls and (self.tls.minimum, self.tls.maximum) != ("1.2", "1.3"):
            raise InvalidValue(
                "gRPC chooses the version of TLS itself: leave out min_version and "
                "max_version, and check the version with use: tls",
                code=Code.OPTION_TLS,
            )
        return self

    def worst_case(self) -> float:
        """The timeout."""
        return self.timeout

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Call the health service.

        Raises:
            NoAnswer: the server did not respond with gRPC, or not in time.
            NotGreen: the response is not from the replacement task set.
            CannotMeasure: the listener rule does not match the call.
        """
        place = tools.connect(self.listener)
        path, headers = place.request(METHOD, self.metadata)
        if path != METHOD:
            raise CannotMeasure(
                f"the listener rule matches {path}, and never {METHOD}",
                code=Code.HTTP_RULE,
            )
        trust = self.tls or None
        if self.tls is None and place.is_encrypted:
            trust = Trust()
        status, details = self._status(place, headers, trust)
        why = f" ({details})" if details else ""
        yield Finding(
            ok=status == self.status,
            summary=f"{self.service or 'the server'}: expected {self.status}, got "
            f"{status}{why}",
            evidence={"service": self.service, "place": place.place},
            code=Code.GRPC_STATUS,
        )

    def _status(
        self, place: Destination, headers: Mapping[str, str], trust: Trust | None
    ) -> tuple[str, str]:
        """The health, or the code of the call that failed and the server's details."""
        import grpc  # noqa: PLC0415 - in the second layer, which few plans need
        from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415 - as above

        metadata = [
            (key.lower(), value)
            for key, value in headers.items()
            if key.lower() != "host"
        ]
        left = place.deadline.within(self.timeout)
        with _channel(place, headers, trust, left.remaining) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest(service=self.service)
            try:
                answer, call = stub.Check.with_call(
                    request, timeout=left.remaining, metadata=metadata
                )
            except grpc.RpcError as error:
                code, details = error.code().name, masked(error.details() or "")[:300]
                if code in _NO_RESPONSE:
                    raise NoAnswer(
                        f"{place.place}: {code}: {details}", code=Code.GRPC_CALL
                    ) from None
                place.prove(_headers(error))
                return code, details
            place.prove(_headers(call))
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status), ""


#: grpc.github.io/grpc/core/md_doc_health-checking.html
METHOD = "/grpc.health.v1.Health/Check"

#: Codes of calls that got no response of the server itself.
_NO_RESPONSE = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "INTERNAL"}


@contextmanager
def _channel(
    place: Destination,
    headers: Mapping[str, str],
    trust: Trust | None,
    seconds: float,
) -> Iterator[Any]:
    import grpc  # noqa: PLC0415 - as above

    addresses = place.addresses(seconds)
    six = [f"[{each}]:{place.port}" for each in addresses if ":" in each]
    four = [f"{each}:{place.port}" for each in addresses if ":" not in each]
    pinned = f"ipv6:{','.join(six)}" if six else f"ipv4:{','.join(four)}"
    authority = next(each for key, each in headers.items() if key.lower() == "host")
    options: list[tuple[str, Any]] = [
        ("grpc.default_authority", authority),
        ("grpc.primary_user_agent", f"Hookgate/{VERSION}"),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if trust is None:
        channel = grpc.insecure_channel(pinned, options=options)
    else:
        name = trust.server_name or authority.partition(":")[0]
        options.append(("grpc.ssl_target_name_override", name))
        channel = grpc.secure_channel(pinned, _credentials(trust), options=options)
    with channel:
        yield channel


def _credentials(trust: Trust) -> Any:
    import grpc  # noqa: PLC0415 - as above

    authorities = trust.ca
    if not authorities:
        from certifi import contents  # noqa: PLC0415 - needed only without a CA of one's own

        authorities = contents()
    return grpc.ssl_channel_credentials(
        authorities.encode(),
        private_key=trust.key.encode() or None,
        certificate_chain=trust.certificate.encode() or None,
    )


def _headers(call: Any) -> list[tuple[str, str]]:
    """The metadata before the response; trailing metadata identifies nothing."""
    return [
        (key, value.decode("latin-1") if isinstance(value, bytes) else value)
        for key, value in call.initial_metadata() or ()
    ]
