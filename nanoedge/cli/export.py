"""`nanoedge export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nanoedge.cli.options import Force, parse_size
from nanoedge.cli.terminal import Terminal, command, table
from nanoedge.errors import InputError, NanoEdgeError

if TYPE_CHECKING:
    from nanoedge.export.export import ExportResult


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
    int8: Annotated[
        bool, typer.Option("--int8", help="add an int8 file for the target native; needs --calibration")
    ] = False,
    calibration: Annotated[
        Path | None, typer.Option(help="int8: folder of pictures like those in use, to measure ranges on")
    ] = None,
    calibration_images: Annotated[
        int | None, typer.Option(metavar="N", help="int8: take at most N of them; default: 200")
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="int8: COCO JSON; measures the AP of float and int8, with --images")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="int8: folder that the file names in the annotations are relative to")
    ] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(metavar="D", help="int8: leave it out if its AP is lower by more than D; default: 0.005"),
    ] = None,
    force: Force = False,
) -> None:
    """Make a bundle: strip what only training needs, convert, and prove that each engine finds the same boxes."""
    if not target:
        raise InputError("Say which engine the bundle is for: --target ncnn, openvino, onnx, native or all.")
    size = parse_size(input_size, "--input-size") if input_size else None
    from nanoedge.export.int8.request import int8_request

    request = int8_request(int8, calibration, calibration_images, annotations, images, max_drop)
    from nanoedge.export.export import export_bundle

    result = export_bundle(
        checkpoint,
        target,
        out,
        size,
        weights,
        pictures,
        licence,
        force,
        int8=request,
        say=terminal.say,
        progress=terminal.progress,
    )
    terminal.finish(result.as_json(), "\n".join(_lines(result)))
    if result.int8 is not None and result.int8.refusal:
        raise NanoEdgeError(result.int8.refusal)


def _lines(result: ExportResult) -> list[str]:
    rows = [["engine", "bytes", "outputs differ by", "compared with PyTorch", "not alike"]]
    in_float = [entry for entry in result.manifest.engines if entry.precision == "float"]
    for entry, verdict in zip(in_float, result.parity["engines"], strict=True):
        rows.append(
            [
                entry.engine,
                f"{_size(result, entry.files):,}",
                f"{verdict['raw_difference']:.1e} of their range",
                f"{verdict['count']} {_WORDS[verdict['compared']]}",
                str(verdict["unmatched"]),
            ]
        )
    lines = [table(rows)]
    precision = ""
    if result.int8 is not None:
        lines += result.int8.sentences()
        for entry in result.manifest.engines:
            if entry.precision == "int8":
                lines.append(f"int8 ({entry.engine}): {_size(result, entry.files):,} bytes")
                precision = " --precision int8"
    return [
        *lines,
        f"{result.bundle} is written.",
        f"next: nanoedge detect {result.bundle} PICTURE{precision} --out found",
    ]


def _size(result: ExportResult, files: tuple[str, ...]) -> int:
    return sum(result.manifest.files[name].size for name in files)


_WORDS = {"boxes": "boxes", "priors": "best places"}  # too few boxes in the pictures: the best candidates instead
