"""The C++ core: a bundle's network from pixels to boxes. Use `nanoedge.Detector`, which chooses it by itself."""

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float32]
_Boxes = tuple[_Floats, _Floats, npt.NDArray[np.int64]]
_Placement = tuple[float, float, float, float, int, int]

__version__: str

class Detector:
    def __init__(
        self,
        folder: str | bytes,
        *,
        engine: str = "auto",
        threads: int = 0,
        precision: str = "float",
        compute: str = "fp32",
        cores: str = "all",
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
def native_computes(compute: str) -> bool: ...
def check_manifest(text: str, place: str) -> None: ...
