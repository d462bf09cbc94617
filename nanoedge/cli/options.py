"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

EngineName = Annotated[str, typer.Option("--engine", help="auto, ncnn, openvino, onnx; torch for checkpoints")]
Precision = Annotated[Literal["float", "int8"], typer.Option("--precision", help="which of the bundle's files")]
Compute = Annotated[
    Literal["fp32", "fp16", "bf16"], typer.Option("--compute", help="what float layers are calculated in")
]
Threads = Annotated[int | None, typer.Option("--threads", help="CPU threads; default: all")]
Force = Annotated[bool, typer.Option("--force", help="replace what is there")]
