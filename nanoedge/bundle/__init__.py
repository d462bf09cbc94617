"""The bundle: one folder with everything a runtime needs. Reading, verifying and writing it."""

from nanoedge.bundle.bundle import Bundle, load_bundle
from nanoedge.bundle.manifest import EngineEntry, FilePrecision, Manifest
from nanoedge.config.interface import (
    EVALUATION_POSTPROCESS,
    DecoderSpec,
    InputSpec,
    Interface,
    PostprocessSpec,
)

__all__ = [
    "EVALUATION_POSTPROCESS",
    "Bundle",
    "DecoderSpec",
    "EngineEntry",
    "FilePrecision",
    "InputSpec",
    "Interface",
    "Manifest",
    "PostprocessSpec",
    "load_bundle",
]
