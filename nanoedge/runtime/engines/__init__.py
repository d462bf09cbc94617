"""Engines: one network in, one raw output tensor out. Each engine's package is imported when it is chosen."""

from nanoedge.runtime.engines.base import COMPUTE_PRECISIONS, ComputePrecision, Engine, EngineOptions
from nanoedge.runtime.engines.choose import ENGINE_NAMES, choose_engine, is_installed, load_engine

__all__ = [
    "COMPUTE_PRECISIONS",
    "ENGINE_NAMES",
    "ComputePrecision",
    "Engine",
    "EngineOptions",
    "choose_engine",
    "is_installed",
    "load_engine",
]
