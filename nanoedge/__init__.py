"""NanoEdge: train a NanoDet-class detector, export it as one bundle, run it on any ARM or x86 CPU."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["Detection", "Detections", "Detector", "NanoEdgeError", "__version__"]

TYPE_CHECKING = False  # type checkers know the name; to import it from typing would delay the answer to Ctrl-C
if TYPE_CHECKING:
    from nanoedge.detections import Detection, Detections
    from nanoedge.errors import NanoEdgeError
    from nanoedge.runtime.detector import Detector

_HOMES = {
    "Detection": "nanoedge.detections",
    "Detections": "nanoedge.detections",
    "Detector": "nanoedge.runtime.detector",
    "NanoEdgeError": "nanoedge.errors",
}


def __getattr__(name: str) -> object:
    """Import the public names when they are first used, so that `nanoedge --help` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nanoedge' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
