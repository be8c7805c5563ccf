"""Secrets that a plan names, from Secrets Manager."""

from __future__ import annotations

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate.validator import Aws


class SecretReader:
    """Reads a secret by the name that a plan uses.

    Args:
        aws: the calls.
        prefix: the prefix of the names in Secrets Manager; empty to allow no secrets.
    """

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._aws = aws
        self._prefix = prefix

    def __call__(self, name: str) -> str:
        """The secret's text.

        Raises:
            CannotMeasure: secrets are not allowed, or this one cannot be read.
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
