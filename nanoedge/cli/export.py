"""`nanoedge export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nanoedge.cli.options import Force, parse_size
from nanoedge.cli.terminal import Terminal, command, table
from nanoedge.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "export")(export)


def export(
    terminal: Terminal,
    checkpoint: Annotated[Path, typer.Argument(metavar="CKPT", help="a checkpoint of nanoedge train")],
    out: Annotated[Path, typer.Option(help="the bundle's folder, NAME.nanoedge")],
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="needed: ncnn, openvino, onnx, native or all; may be given several times", show_default=False
        ),
    ] = None,
    input_size: Annotated[
        str | None, typer.Option(metavar="WxH", help="input size, multiples of 32; default: the training's")
    ] = None,
    weights: Annotated[
        Literal["fp16", "fp32"] | None, typer.Option(help="store weights in fp16 or fp32; default: fp16, for onnx fp32")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="folder of pictures for the parity check and the sample")
    ] = None,
    licence: Annotated[str, typer.Option(help="licence of the weights, written into the manifest")] = "",
    force: Force = False,
) -> None:
    """Make a bundle: strip what only training needs, convert, and prove that each engine finds the same boxes."""
    if not target:
        raise InputError("Say which engine the bundle is for: --target ncnn, openvino, onnx, native or all.")
    size = parse_size(input_size, "--input-size") if input_size else None
    from nanoedge.export.export import export_bundle

    result = export_bundle(checkpoint, target, out, size, weights, pictures, licence, force, terminal.say)
    rows = [["engine", "bytes", "outputs differ by", "compared with PyTorch", "not alike"]]
    for entry, verdict in zip(result.manifest.engines, result.parity["engines"], strict=True):
        size_in_bytes = sum(result.manifest.files[name].size for name in entry.files)
        rows.append(
            [
                entry.engine,
                f"{size_in_bytes:,}",
                f"{verdict['raw_difference']:.1e} of their range",
                f"{verdict['count']} {_WORDS[verdict['compared']]}",
                str(verdict["unmatched"]),
            ]
        )
    terminal.finish(
        result.as_json(), f"{table(rows)}\n{out} is written.\nnext: nanoedge detect {out} PICTURE --out found"
    )


_WORDS = {"boxes": "boxes", "priors": "best places"}  # too few boxes in the pictures: the best candidates instead
