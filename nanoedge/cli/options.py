"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

EngineName = Annotated[str, typer.Option("--engine", help="auto, ncnn, openvino, onnx; torch for checkpoints")]
Precision = Annotated[str, typer.Option("--precision", help="which of the bundle's files: float or int8")]
Compute = Annotated[str, typer.Option("--compute", help="what float layers are calculated in: fp32, fp16 or bf16")]
Threads = Annotated[int | None, typer.Option("--threads", help="CPU threads; default: all")]
Force = Annotated[bool, typer.Option("--force", help="replace what is there")]
