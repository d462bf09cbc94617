"""The readable reference: an engine's own Python package between OpenCV and NumPy."""

from __future__ import annotations

import threading
import time

import numpy as np
import numpy.typing as npt

from nanoedge.bundle import Bundle
from nanoedge.detections import Detections
from nanoedge.errors import BundleError, EngineError, InputError
from nanoedge.pictures import Picture, opencv
from nanoedge.runtime.engines.base import Engine
from nanoedge.runtime.network import PIXEL_FORMATS, NetworkSettings, PixelFormat, StageTimes
from nanoedge.runtime.postprocess import detections_of
from nanoedge.runtime.preprocess import Placement, check_picture, to_tensor

FloatArray = npt.NDArray[np.float32]


class ReferenceNetwork:
    """One network in an engine's Python package.

    Raises:
        EngineError: when a kind of cores is asked for, which only the core can choose.
    """

    def __init__(self, bundle: Bundle, engine: Engine, settings: NetworkSettings) -> None:
        if settings.options.cores not in ("auto", "all"):
            raise EngineError(f"The engine {settings.engine} cannot choose between big and little cores; ncnn can.")
        self._engine, self._settings, self._folder = engine, settings, bundle.folder
        self._interface = bundle.manifest.interface
        wanted = settings.classes
        self._wanted = None if wanted is None else np.isin(np.array(self._interface.classes), list(wanted))
        self._turn = threading.Lock()

    @property
    def threads(self) -> int:
        """How many CPU threads the network runs on."""
        return self._settings.options.thread_count

    def detect(self, picture: Picture, pixel_format: PixelFormat = "bgr") -> tuple[Detections, StageTimes]:
        """Everything in one call."""
        started = time.perf_counter()
        tensor, placed = self.preprocess(picture, pixel_format)
        prepared = time.perf_counter()
        output = self.forward(tensor)
        calculated = time.perf_counter()
        found = self.postprocess(output, placed)
        done = time.perf_counter()
        return found, StageTimes(1e3 * (prepared - started), 1e3 * (calculated - prepared), 1e3 * (done - calculated))

    def preprocess(self, picture: Picture, pixel_format: PixelFormat = "bgr") -> tuple[FloatArray, Placement]:
        """The network's input float32 [1, 3, H, W], and where the picture lies in it."""
        return to_tensor(check_picture(to_bgr(picture, pixel_format)), self._interface.input)

    def forward(self, tensor: FloatArray) -> FloatArray:
        """Raw output float32 [1, priors, channels].

        Raises:
            BundleError: when the output's shape is not the manifest's.
        """
        with self._turn:
            output = self._engine.run(tensor)
        expected = (1, self._interface.prior_count, self._interface.output_channels)
        if output.shape != expected:
            raise BundleError(
                f"The {self._settings.engine} model of {self._folder} gives {list(output.shape)}, its manifest says "
                f"{list(expected)}; export the bundle again."
            )
        return output

    def postprocess(self, output: FloatArray, placed: Placement) -> Detections:
        """Detections of a raw output."""
        return detections_of(output[0], placed, self._interface, self._settings.postprocess, self._wanted)


def to_bgr(picture: Picture, pixel_format: PixelFormat) -> Picture:
    """A picture of any format as BGR, by OpenCV's `cvtColor` (YUV: BT.601).

    Raises:
        InputError: for an unknown format, or an array that is no picture of it.
    """
    if pixel_format == "bgr":
        return picture
    cv2 = opencv()
    codes = {
        "rgb": cv2.COLOR_RGB2BGR,
        "bgra": cv2.COLOR_BGRA2BGR,
        "gray": cv2.COLOR_GRAY2BGR,
        "nv12": cv2.COLOR_YUV2BGR_NV12,
        "i420": cv2.COLOR_YUV2BGR_I420,
        "yuyv": cv2.COLOR_YUV2BGR_YUY2,
    }
    if pixel_format not in codes:
        raise InputError(f"Unknown pixel format {pixel_format!r}; known: {', '.join(PIXEL_FORMATS)}.")
    try:
        return np.asarray(cv2.cvtColor(picture, codes[pixel_format]))
    except (cv2.error, TypeError) as error:
        shape = getattr(picture, "shape", None)
        raise InputError(f"An array of the shape {shape} is no picture in the format {pixel_format}.") from error
