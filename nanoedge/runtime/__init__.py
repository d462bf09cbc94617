"""Running a bundle: the `Detector`, the engines, and the readable NumPy reference of pre- and post-processing."""

from nanoedge.bundle import EVALUATION_POSTPROCESS

__all__ = ["EVALUATION_POSTPROCESS"]
