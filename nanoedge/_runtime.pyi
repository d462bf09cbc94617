"""The C++ core: a bundle's network from pixels to boxes. Use `nanoedge.Detector`, which chooses it by itself."""

from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float32]
_Boxes = tuple[_Floats, _Floats, npt.NDArray[np.int64]]
_Placement = tuple[float, float, float, float, int, int]

__version__: str
has_ncnn: bool

class Detector:
    def __init__(
        self,
        folder: str | bytes,
        *,
        engine: str = "auto",
        threads: int = 0,
        precision: str = "float",
        compute: str = "fp32",
        cores: str = "auto",
        score_threshold: float | None = None,
        nms_iou: float | None = None,
        max_detections: int | None = None,
        class_aware: bool | None = None,
        classes: list[str] = [],
        openvino_library: str = "",
    ) -> None: ...
    @property
    def engine(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def classes(self) -> list[str]: ...
    def detect(
        self, picture: npt.NDArray[np.uint8], pixel_format: str = "bgr"
    ) -> tuple[_Boxes, tuple[float, float, float]]: ...
    def preprocess(self, picture: npt.NDArray[np.uint8], pixel_format: str = "bgr") -> tuple[_Floats, _Placement]: ...
    def forward(self, tensor: _Floats) -> _Floats: ...
    def postprocess(self, output: _Floats, placement: _Placement) -> _Boxes: ...

def engines(openvino_library: str = "") -> dict[str, str]: ...
def cpu_features() -> list[tuple[str, str, bool, bool]]: ...
def has_vector_kernels() -> bool: ...
def default_cpus(usable: list[int], root: str | bytes = "/sys") -> list[int]: ...
def native_computes(compute: str) -> bool: ...
def check_manifest(text: str, place: str) -> None: ...

class NativeStep(TypedDict):
    """One step of a network of our engine.

    Maps are [height, width, channels] of `element`: `float32`, or `uint8` with value = (byte - zero_point) * scale;
    either times the channel's factor where there are `factors`, [C], which else are empty.
    `multiply_adds` are those of convolutions, 0 of other kinds; `read`, `written` and `weights` are bytes.
    """

    name: str
    kind: str
    kernel: int
    stride: int
    inputs: list[str]
    output: str
    shape: tuple[int, int, int]
    input_element: str
    element: str
    scale: float
    zero_point: int
    factors: npt.NDArray[np.float32]
    half_weights: bool
    multiply_adds: int
    read: int
    written: int
    weights: int

class NativeNetwork:
    def __init__(
        self, folder: str | bytes, *, precision: str = "float", kernels: str = "", threads: int = 1
    ) -> None: ...
    @property
    def kernels(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def steps(self) -> list[NativeStep]: ...
    def run(self, picture: npt.NDArray[np.uint8]) -> _Floats: ...
    def maps(self, picture: npt.NDArray[np.uint8]) -> list[npt.NDArray[Any]]: ...
    def times(self, picture: npt.NDArray[np.uint8], rounds: int) -> npt.NDArray[np.float64]: ...
    def peak(self, element: str) -> float: ...
