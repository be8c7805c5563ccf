"""Secrets that a plan names, from Secrets Manager."""

from __future__ import annotations

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate.validator import Aws


class SecretReader:
    """Returns a secret's text by the name that a plan uses.

    Args:
        aws: the calls.
        prefix: what the names in Secrets Manager begin with; without one, no plan may
            name a secret.
    """

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._aws = aws
        self._prefix = prefix

    def __call__(self, name: str) -> str:
        """The secret's text.

        Raises:
            CannotMeasure: secrets are off, or this one cannot be read.
        """
        if not self._prefix:
            raise CannotMeasure(
                f"${{secret.{name}}} is not known: set the parameter SecretPrefix of "
                "the stack",
                code=Code.SECRET,
            )
        answer = self._aws(
            "secretsmanager", "get_secret_value", SecretId=f"{self._prefix}{name}"
        )
        if not answer.get("SecretString"):
            raise CannotMeasure(
                f"the secret {self._prefix}{name} is empty or binary", code=Code.SECRET
            )
        return str(answer["SecretString"])
