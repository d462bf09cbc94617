"""`Detector`: a bundle that takes pictures and gives boxes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nanoedge.bundle import Bundle, FilePrecision, PostprocessSpec, load_bundle
from nanoedge.detections import Detections
from nanoedge.errors import BundleError, InputError
from nanoedge.pictures import Picture, read_picture
from nanoedge.runtime.engines import ComputePrecision, EngineOptions, choose_engine, load_engine
from nanoedge.runtime.postprocess import detections_of
from nanoedge.runtime.preprocess import Placement, check_picture, to_tensor

FloatArray = npt.NDArray[np.float32]
PRECISIONS: tuple[FilePrecision, ...] = ("float", "int8")


class Detector:
    """Finds objects in pictures with one bundle on one engine.

    Thread-safe: calls from several threads take turns in the engine.

    Args:
        bundle: the bundle's folder, or a loaded one.
        engine: `auto`, `ncnn`, `openvino` or `onnx`.
        threads: CPU threads; `None` takes all that this process may use.
        precision: which of the bundle's files, `float` or `int8`.
        compute: what float layers are calculated in, `fp32`, `fp16` or `bf16`.
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
        score_threshold: float | None = None,
        nms_iou: float | None = None,
        max_detections: int | None = None,
        class_aware: bool | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        if precision not in PRECISIONS:
            raise InputError(f"Unknown precision {precision!r}; known: {', '.join(PRECISIONS)}.")
        options = EngineOptions(threads, compute)
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self.interface = self.bundle.manifest.interface
        self.postprocess_spec = _with_changes(
            self.interface.postprocess, score_threshold, nms_iou, max_detections, class_aware
        )
        self._wanted = _class_mask(self.interface.classes, classes)
        self.precision, self.compute, self.threads = precision, compute, options.thread_count
        self.engine = choose_engine(self.bundle, engine, precision)
        self._engine = load_engine(self.bundle, self.engine, precision, options)
        self._turn = threading.Lock()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of all classes that the model knows."""
        return self.interface.classes

    def __call__(self, picture: str | Path | Picture) -> Detections:
        """Detect.

        Args:
            picture: a file, or uint8 BGR [height, width, 3].

        Returns:
            Boxes in pixels of the picture, best first.

        Raises:
            PictureError: when the file cannot be read.
            InputError: when the array is no picture.
        """
        pixels = read_picture(picture) if isinstance(picture, str | Path) else check_picture(picture)
        tensor, placed = self.preprocess(pixels)
        return self.postprocess(self.forward(tensor), placed)

    def batch(self, pictures: Iterable[str | Path | Picture]) -> list[Detections]:
        """Detect in several pictures, in their order."""
        return [self(picture) for picture in pictures]

    def preprocess(self, picture: Picture) -> tuple[FloatArray, Placement]:
        """The network's input float32 [1, 3, H, W], and where the picture lies in it."""
        return to_tensor(picture, self.interface.input)

    def forward(self, tensor: FloatArray) -> FloatArray:
        """Raw output float32 [1, priors, channels].

        Raises:
            BundleError: when the output's shape is not the manifest's.
        """
        with self._turn:
            output = self._engine.run(tensor)
        expected = (1, self.interface.prior_count, self.interface.output_channels)
        if output.shape != expected:
            raise BundleError(
                f"The {self.engine} model of {self.bundle.folder} gives {list(output.shape)}, its manifest says "
                f"{list(expected)}; export the bundle again."
            )
        return output

    def postprocess(self, output: FloatArray, placed: Placement) -> Detections:
        """Detections of a raw output [1, priors, channels]."""
        return detections_of(output[0], placed, self.interface, self.postprocess_spec, self._wanted)


def _with_changes(
    spec: PostprocessSpec, score: float | None, nms_iou: float | None, limit: int | None, class_aware: bool | None
) -> PostprocessSpec:
    for name, value in (("score threshold", score), ("NMS IoU", nms_iou)):
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"The {name} must be between 0 and 1, not {value}.")
    if limit is not None and limit < 1:
        raise InputError(f"The number of detections must be at least 1, not {limit}.")
    changes = {"score_threshold": score, "nms_iou": nms_iou, "max_detections": limit, "class_aware": class_aware}
    return spec.model_copy(update={key: value for key, value in changes.items() if value is not None})


def _class_mask(names: Sequence[str], wanted: Sequence[str] | None) -> npt.NDArray[np.bool_] | None:
    if wanted is None:
        return None
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise InputError(f"The bundle does not know the class {unknown[0]!r}; it knows: {', '.join(names)}.")
    return np.isin(np.array(names), list(wanted))
