"""Options that several commands take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nanoedge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nanoedge.bundle import Bundle
    from nanoedge.runtime.detector import Detector

EngineName = Annotated[str, typer.Option("--engine", help="auto, native, ncnn, openvino or onnx")]
Precision = Annotated[Literal["float", "int8"], typer.Option("--precision", help="which of the bundle's files")]
Compute = Annotated[
    Literal["fp32", "fp16", "bf16"], typer.Option("--compute", help="what float layers are calculated in")
]
Threads = Annotated[int | None, typer.Option("--threads", help="CPU threads; default: all fast cores")]
Score = Annotated[float | None, typer.Option("--score", help="report boxes above this score; default: the bundle's")]
Nms = Annotated[float | None, typer.Option("--nms", help="IoU of non-maximum suppression; default: the bundle's")]
MaxDetections = Annotated[
    int | None, typer.Option("--max-detections", help="most boxes a picture; default: the bundle's")
]
Classes = Annotated[str | None, typer.Option("--classes", metavar="A,B", help="report only these classes")]
Force = Annotated[bool, typer.Option("--force", help="replace what is there")]


def detector_maker(
    bundle: Path | Bundle,
    engine: str,
    precision: Literal["float", "int8"],
    compute: Literal["fp32", "fp16", "bf16"],
    threads: int | None,
    nms: float | None,
    max_detections: int | None,
    classes: str | None,
) -> Callable[[float | None], Detector]:
    """Makes detectors as these options say, for a score threshold."""
    from nanoedge.runtime.detector import Detector

    wanted = [name.strip() for name in classes.split(",") if name.strip()] if classes is not None else None
    if wanted is not None and not wanted:
        raise InputError("--classes names no class.")

    def make(score: float | None) -> Detector:
        return Detector(
            bundle,
            engine,
            threads,
            precision=precision,
            compute=compute,
            score_threshold=score,
            nms_iou=nms,
            max_detections=max_detections,
            classes=wanted,
        )

    return make


def parse_size(text: str, option: str) -> tuple[int, int]:
    """Width and height of `WIDTHxHEIGHT`.

    Raises:
        InputError: names the option.
    """
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    if not match:
        raise InputError(f"{option} is WIDTHxHEIGHT, such as 320x256, not {text!r}.")
    return int(match.group(1)), int(match.group(2))
