"""What stands behind a `Detector`: the compiled core, or the readable reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np
import numpy.typing as npt

from nanoedge.bundle import FilePrecision, PostprocessSpec
from nanoedge.detections import Detections
from nanoedge.pictures import Picture
from nanoedge.runtime.engines.base import EngineOptions
from nanoedge.runtime.preprocess import Placement

FloatArray = npt.NDArray[np.float32]
PixelFormat = Literal["bgr", "rgb", "bgra", "gray", "nv12", "i420", "yuyv"]
PIXEL_FORMATS: tuple[str, ...] = get_args(PixelFormat)


class StageTimes(NamedTuple):
    """How long each stage took, milliseconds."""

    preprocess: float
    forward: float
    postprocess: float


@dataclass(frozen=True)
class NetworkSettings:
    """What a network is loaded with.

    Attributes:
        engine: its name, `auto` resolved.
        precision: which of the bundle's files.
        options: threads, compute precision, cores.
        postprocess: thresholds.
        classes: the classes to report; `None` takes all.
    """

    engine: str
    precision: FilePrecision
    options: EngineOptions
    postprocess: PostprocessSpec
    classes: Sequence[str] | None


class Network(Protocol):
    """One loaded network with its pre- and post-processing. Thread-safe: calls take turns."""

    @property
    def threads(self) -> int:
        """How many CPU threads the network runs on."""
        ...

    def detect(self, picture: Picture, pixel_format: PixelFormat) -> tuple[Detections, StageTimes]:
        """Everything in one call."""
        ...

    def preprocess(self, picture: Picture, pixel_format: PixelFormat) -> tuple[FloatArray, Placement]:
        """The network's input float32 [1, 3, H, W], and where the picture lies in it."""
        ...

    def forward(self, tensor: FloatArray) -> FloatArray:
        """Raw output float32 [1, priors, channels]."""
        ...

    def postprocess(self, output: FloatArray, placed: Placement) -> Detections:
        """Detections of a raw output."""
        ...
