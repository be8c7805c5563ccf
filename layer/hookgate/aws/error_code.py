"""What AWS itself called a refusal."""

from __future__ import annotations


def error_code(error: Exception) -> str:
    """The code of the ClientError that led to ``error``; empty for another cause."""
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
