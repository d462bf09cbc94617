"""The bundle: one folder with everything a runtime needs. Reading, verifying and writing it."""

from nanoedge.config.interface import (
    EVALUATION_POSTPROCESS,
    DecoderSpec,
    InputSpec,
    Interface,
    PostprocessSpec,
)

__all__ = ["EVALUATION_POSTPROCESS", "DecoderSpec", "InputSpec", "Interface", "PostprocessSpec"]
