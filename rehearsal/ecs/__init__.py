"""ECS: task sets whose tasks are real processes."""

from __future__ import annotations

from hookgate_rehearsal.ecs.containers import Image, Images

__all__ = ["Image", "Images"]
