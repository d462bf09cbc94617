"""`Detector`: a bundle that takes pictures and gives boxes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nanoedge.bundle import Bundle, FilePrecision, PostprocessSpec, load_bundle
from nanoedge.detections import Detections
from nanoedge.errors import InputError
from nanoedge.pictures import Picture, read_picture
from nanoedge.runtime.engines import ComputePrecision, CoreKind, EngineOptions
from nanoedge.runtime.load import choose_engine, load_network
from nanoedge.runtime.network import NetworkSettings, PixelFormat, StageTimes
from nanoedge.runtime.preprocess import Placement

FloatArray = npt.NDArray[np.float32]
PRECISIONS: tuple[FilePrecision, ...] = ("float", "int8")


class Detector:
    """Finds objects in pictures with one bundle on one engine.

    Thread-safe: calls from several threads take turns in the engine.

    Args:
        bundle: the bundle's folder, or a loaded one.
        engine: `auto`; `native`, `ncnn` or `openvino` in the compiled core; `onnx`; `python-ncnn` or `python-openvino`,
            the readable reference over the engines' own packages.
        threads: CPU threads; `None` takes one for each core of that kind.
        precision: which of the bundle's files, `float` or `int8`.
        compute: what float layers are calculated in, `fp32`, `fp16` or `bf16`.
        cores: of a CPU with several kinds of cores, run on `all`, `big` or `little` ones, refused where all are alike.
            `auto` takes the big ones of ARM's big.LITTLE unless `threads` asks for more, else all.
        score_threshold: report boxes above this score; `None` takes the bundle's.
        nms_iou: drop a box that overlaps a better one by more than this; `None` takes the bundle's.
        max_detections: at most this many boxes a picture; `None` takes the bundle's.
        class_aware: compare only boxes of the same class in suppression; `None` takes the bundle's.
        classes: report only these classes.

    Raises:
        NanoEdgeError: for a damaged bundle, an unknown engine or class, a value out of range.

    Example:
        detector = Detector("street.nanoedge")
        for label, score, box in detector("photo.jpg"):
            print(label, score, box)
    """

    def __init__(
        self,
        bundle: str | Path | Bundle,
        engine: str = "auto",
        threads: int | None = None,
        *,
        precision: FilePrecision = "float",
        compute: ComputePrecision = "fp32",
        cores: CoreKind = "auto",
        score_threshold: float | None = None,
        nms_iou: float | None = None,
        max_detections: int | None = None,
        class_aware: bool | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        if precision not in PRECISIONS:
            raise InputError(f"Unknown precision {precision!r}; known: {', '.join(PRECISIONS)}.")
        options = EngineOptions(threads, compute, cores)
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self.interface = self.bundle.manifest.interface
        self.postprocess_spec = _with_changes(
            self.interface.postprocess, score_threshold, nms_iou, max_detections, class_aware
        )
        _check_classes(self.interface.classes, classes)
        self.precision, self.compute = precision, compute
        self.engine = choose_engine(self.bundle, engine, precision, compute)
        settings = NetworkSettings(self.engine, precision, options, self.postprocess_spec, classes)
        self._network = load_network(self.bundle, settings)
        self.threads = self._network.threads

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of all classes that the model knows."""
        return self.interface.classes

    def __call__(self, picture: str | Path | Picture, pixel_format: PixelFormat = "bgr") -> Detections:
        """Detect.

        Args:
            picture: a file, or a uint8 array: [height, width, 3] for `bgr` and `rgb`, [height, width, 4] for `bgra`,
                [height, width] for `gray`, [height * 3 / 2, width] for `nv12` and `i420`, [height, width, 2] for
                `yuyv`.
            pixel_format: of an array; YUV is BT.601 with luma 16..235.

        Returns:
            Boxes in pixels of the picture, best first.

        Raises:
            PictureError: when the file cannot be read.
            InputError: when the array is no picture.
        """
        return self.timed(picture, pixel_format)[0]

    def timed(self, picture: str | Path | Picture, pixel_format: PixelFormat = "bgr") -> tuple[Detections, StageTimes]:
        """As a call, with the milliseconds of preprocessing, network and post-processing."""
        if isinstance(picture, str | Path):
            return self._network.detect(read_picture(picture), "bgr")
        return self._network.detect(_check_array(picture), pixel_format)

    def batch(self, pictures: Iterable[str | Path | Picture]) -> list[Detections]:
        """Detect in several pictures, in their order."""
        return [self(picture) for picture in pictures]

    def preprocess(self, picture: Picture, pixel_format: PixelFormat = "bgr") -> tuple[FloatArray, Placement]:
        """The network's input float32 [1, 3, H, W], and where the picture lies in it."""
        return self._network.preprocess(_check_array(picture), pixel_format)

    def forward(self, tensor: FloatArray) -> FloatArray:
        """Raw output float32 [1, priors, channels].

        Raises:
            InputError: when the tensor is not float32 [1, 3, H, W].
            BundleError: when the output's shape is not the manifest's.
        """
        spec = self.interface.input
        if tensor.dtype != np.float32 or tensor.shape != (1, 3, spec.height, spec.width):
            raise InputError(
                f"The network's input is float32 [1, 3, {spec.height}, {spec.width}], not {tensor.dtype} "
                f"{list(tensor.shape)}."
            )
        return self._network.forward(np.ascontiguousarray(tensor))

    def postprocess(self, output: FloatArray, placed: Placement) -> Detections:
        """Detections of a raw output [1, priors, channels]."""
        return self._network.postprocess(output, placed)


def _check_array(picture: object) -> Picture:
    if not isinstance(picture, np.ndarray):
        raise InputError(f"A picture must be a NumPy array or a path, not {type(picture).__name__}.")
    return picture


def _with_changes(
    spec: PostprocessSpec, score: float | None, nms_iou: float | None, limit: int | None, class_aware: bool | None
) -> PostprocessSpec:
    for name, value in (("score threshold", score), ("NMS IoU", nms_iou)):
        if value is not None and not (isinstance(value, Real) and 0 <= value <= 1):
            raise InputError(f"The {name} must be between 0 and 1, not {value!r}.")
    if limit is not None and not (isinstance(limit, Integral) and limit >= 1):
        raise InputError(f"The number of detections must be a whole number from 1 on, not {limit!r}.")
    changes = {"score_threshold": score, "nms_iou": nms_iou, "max_detections": limit, "class_aware": class_aware}
    return spec.model_copy(update={key: value for key, value in changes.items() if value is not None})


def _check_classes(names: Sequence[str], wanted: Sequence[str] | None) -> None:
    if isinstance(wanted, str):
        raise InputError(f"Classes are a list of names, such as [{wanted!r}], not one text.")
    unknown = [name for name in wanted or () if name not in names]
    if unknown:
        raise InputError(f"The bundle does not know the class {unknown[0]!r}; it knows: {', '.join(names)}.")
