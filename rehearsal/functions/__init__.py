"""Lambda: each function in a process of its own, behind the Runtime API."""

from __future__ import annotations

from hookgate_rehearsal.functions.function import Function, LogObserver

__all__ = ["Function", "LogObserver"]
