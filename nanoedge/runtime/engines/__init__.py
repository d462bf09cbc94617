"""Engines' own Python packages: one network in, one raw output tensor out. A package is imported when it is chosen."""

from nanoedge.runtime.engines.base import COMPUTE_PRECISIONS, ComputePrecision, CoreKind, Engine, EngineOptions

__all__ = ["COMPUTE_PRECISIONS", "ComputePrecision", "CoreKind", "Engine", "EngineOptions"]
