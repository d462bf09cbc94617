"""Assigners: predictions and ground truth to which prior learns what."""

from __future__ import annotations

from collections.abc import Callable

from nanoedge.assigners.dynamic_soft_label import Assignment, GroundTruth, assign_dynamic_soft_label
from nanoedge.config.schema import AssignerConfig

Assigner = Callable[..., Assignment]
ASSIGNERS: dict[str, Assigner] = {"dynamic_soft_label": assign_dynamic_soft_label}

__all__ = ["ASSIGNERS", "Assigner", "AssignerConfig", "Assignment", "GroundTruth", "assign_dynamic_soft_label"]
