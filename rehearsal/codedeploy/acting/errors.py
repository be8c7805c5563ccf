"""What keeps CodeDeploy from doing its work."""

from __future__ import annotations

from rehearsal.codedeploy.model.vocabulary import ErrorCode


class ActingError(Exception):
    """Something in the world is not as CodeDeploy needs it.

    Args:
        code: What ``errorInformation`` will say.
        message: What is wrong and what to do.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
