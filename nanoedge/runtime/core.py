"""The compiled core as a `Network`: ncnn inside, OpenVINO opened when it is asked for."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import astuple
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nanoedge.bundle import Bundle
from nanoedge.detections import Detections
from nanoedge.errors import EngineError
from nanoedge.pictures import Picture
from nanoedge.runtime.engines.base import ComputePrecision
from nanoedge.runtime.network import NetworkSettings, PixelFormat, StageTimes
from nanoedge.runtime.preprocess import Placement

FloatArray = npt.NDArray[np.float32]


class CoreNetwork:
    """One network in the C++ core; the GIL is released while it works.

    Raises:
        BundleError: for damaged or hostile files.
        EngineError: when the engine is missing or cannot do what was asked.
    """

    def __init__(self, bundle: Bundle, settings: NetworkSettings) -> None:
        try:
            from nanoedge import _runtime
        except ImportError as error:
            raise EngineError(
                f"The compiled core of NanoEdge cannot be loaded ({error}); install NanoEdge again, or choose "
                "--engine python-ncnn."
            ) from error
        spec = settings.postprocess
        self._names = bundle.manifest.classes
        self._detector = _runtime.Detector(
            os.fsencode(bundle.folder),
            engine=settings.engine,
            threads=settings.options.threads or 0,  # 0: as many as CPUs of the chosen kind
            precision=settings.precision,
            compute=settings.options.compute,
            cores=settings.options.cores,
            score_threshold=spec.score_threshold,
            nms_iou=spec.nms_iou,
            max_detections=spec.max_detections,
            class_aware=spec.class_aware,
            classes=list(settings.classes or ()),
            openvino_library=str(find_openvino() or "") if settings.engine == "openvino" else "",
        )

    @property
    def threads(self) -> int:
        """How many CPU threads the network runs on."""
        return self._detector.threads

    def detect(self, picture: Picture, pixel_format: PixelFormat = "bgr") -> tuple[Detections, StageTimes]:
        """Everything in one call."""
        found, times = self._detector.detect(picture, pixel_format)
        return Detections(*found, self._names), StageTimes(*times)

    def preprocess(self, picture: Picture, pixel_format: PixelFormat = "bgr") -> tuple[FloatArray, Placement]:
        """The network's input float32 [1, 3, H, W], and where the picture lies in it."""
        tensor, placed = self._detector.preprocess(picture, pixel_format)
        return tensor, Placement(*placed)

    def forward(self, tensor: FloatArray) -> FloatArray:
        """Raw output float32 [1, priors, channels]."""
        return self._detector.forward(tensor)

    def postprocess(self, output: FloatArray, placed: Placement) -> Detections:
        """Detections of a raw output."""
        return Detections(*self._detector.postprocess(output, astuple(placed)), self._names)


def find_openvino() -> Path | None:
    """OpenVINO's C library: what `NANOEDGE_OPENVINO` names, else that of the installed Python package."""
    if named := os.environ.get("NANOEDGE_OPENVINO"):
        return Path(named)
    spec = importlib.util.find_spec("openvino")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for pattern in ("libopenvino_c.so*", "libopenvino_c*.dylib"):
            if found := sorted((Path(folder) / "libs").glob(pattern)):
                return found[-1]
    return None


def has_core() -> bool:
    """Whether the compiled core is part of this installation; it is not imported."""
    return importlib.util.find_spec("nanoedge._runtime") is not None


def core_has_ncnn() -> bool:
    """Whether the core was built with ncnn inside; `False` without the core."""
    try:
        from nanoedge import _runtime
    except ImportError:
        return has_core()  # then loading a network says what is wrong with it
    return _runtime.has_ncnn


def has_vector_kernels() -> bool:
    """Whether our own engine has better than its scalar kernels for this CPU; `False` without the core."""
    try:
        from nanoedge import _runtime
    except ImportError:
        return False
    return _runtime.has_vector_kernels()


def native_computes(compute: ComputePrecision) -> bool:
    """Whether our own engine calculates float layers so on this CPU."""
    from nanoedge import _runtime

    return _runtime.native_computes(compute)
