"""What an API answers when it does not do as asked."""

from __future__ import annotations


class ApiError(Exception):
    """An error that the service's model names; the client's fault.

    Args:
        code: The exception's name, such as ``DeploymentDoesNotExistException``.
        message: What was wrong and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
