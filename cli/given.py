"""Values from the command line that replace those of a deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import click

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.errors import CannotMeasure
from hookgate.plan.placeholders import faults
from hookgate.units import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line gives for placeholders: values, and secrets by name."""

    values: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def secret(self, name: str) -> str:
        """The value of a secret.

        Raises:
            CannotMeasure: it was not given.
        """
        if name not in self.secrets:
            raise CannotMeasure(
                f"give ${{secret.{name}}} with --secret-env {name}=VARIABLE",
                code=Code.SECRET,
            )
        return self.secrets[name]


def parse_url(url: str, option: str = "--url") -> Endpoint:
    """The endpoint of an option's URL.

    Raises:
        click.BadParameter: it is not an http or https URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise click.BadParameter(
            f"not a valid URL: {error}", param_hint=option
        ) from None
    if "@" in parts.netloc:
        raise click.BadParameter(
            "the URL must not contain a user or password; use the step's auth option, "
            "with a secret from --secret-env NAME=VARIABLE",
            param_hint=option,
        )
    if parts.query or parts.fragment:
        raise click.BadParameter(
            f"{url!r}: the URL must not contain a query or fragment; use a step's path",
            param_hint=option,
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter(
            f"{url!r} is not a valid URL; for example http://localhost:8080",
            param_hint=option,
        )
    return Endpoint(
        scheme=parts.scheme,
        address=parts.hostname,
        port=port or {"http": 80, "https": 443}[parts.scheme],
        path_prefix=parts.path.rstrip("/"),
    )


def read_values(given: tuple[str, ...]) -> dict[str, str]:
    """The values of ``--set NAME=VALUE``.

    Raises:
        click.BadParameter: one has no value, or a name that no plan can use.
    """
    values = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--set")
        if name.startswith("secret."):
            raise click.BadParameter(
                "a secret in an argument list is visible to every process; set an "
                "environment variable to its value, and use "
                f"--secret-env {name.removeprefix('secret.')}=VARIABLE",
                param_hint="--set",
            )
        for _, fault in faults(f"${{{name}}}"):
            raise click.BadParameter(fault, param_hint="--set")
        values[name] = value
    return values


def read_secrets(given: tuple[str, ...], environ: Mapping[str, str]) -> dict[str, str]:
    """The values of ``--secret-env NAME=VARIABLE``, by the secrets' names.

    Raises:
        click.BadParameter: a variable is not set or empty, or a name is not valid.
    """
    values = {}
    for each in given:
        name, _, variable = each.partition("=")
        if not name or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            # Not repeated: what is no variable's name may be the secret itself.
            raise click.BadParameter(
                "write NAME=VARIABLE with the name of an environment variable",
                param_hint="--secret-env",
            )
        for _, fault in faults(f"${{secret.{name}}}"):
            raise click.BadParameter(fault, param_hint="--secret-env")
        if not environ.get(variable):
            raise click.BadParameter(
                f"the environment variable {variable} is not set or is empty; set it "
                f"to the value of the secret {name}",
                param_hint="--secret-env",
            )
        values[name] = environ[variable]
    return values


def read_seconds(text: str) -> float:
    """A duration such as ``5m``, in seconds.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        return duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timeout") from None


def no_aws(service: str, operation: str, /, **_parameters: Any) -> Mapping[str, Any]:
    """Refuse a call: there is no AWS.

    Raises:
        CannotMeasure: always.
    """
    raise CannotMeasure(
        f"{service} {operation} needs AWS, and hookgate run has only a URL; use "
        "hookgate rehearse for this step, or --skip",
        code=Code.RUN_NEEDS_AWS,
    )
