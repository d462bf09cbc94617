"""Options that several commands take."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import typer

from nanoedge.errors import InputError

EngineName = Annotated[str, typer.Option("--engine", help="auto, ncnn, openvino or onnx")]
Precision = Annotated[Literal["float", "int8"], typer.Option("--precision", help="which of the bundle's files")]
Compute = Annotated[
    Literal["fp32", "fp16", "bf16"], typer.Option("--compute", help="what float layers are calculated in")
]
Threads = Annotated[int | None, typer.Option("--threads", help="CPU threads; default: all")]
Force = Annotated[bool, typer.Option("--force", help="replace what is there")]


def parse_size(text: str, option: str) -> tuple[int, int]:
    """Width and height of `WIDTHxHEIGHT`.

    Raises:
        InputError: names the option.
    """
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    if not match:
        raise InputError(f"{option} is WIDTHxHEIGHT, such as 320x256, not {text!r}.")
    return int(match.group(1)), int(match.group(2))
