"""`nanoedge inspect layers`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal, table

if TYPE_CHECKING:
    from nanoedge.inspection.layer_report import LayerReport


def layers(
    terminal: Terminal,
    model: Annotated[
        Path, typer.Argument(metavar="BUNDLE_OR_CKPT", help="a checkpoint's network is compiled in float32 first")
    ],
    engine: Annotated[
        str,
        typer.Option(
            "--engine", metavar="A", help="native, native:int8, native:float:scalar (kernels by name), or torch"
        ),
    ] = "native",
    against: Annotated[str, typer.Option("--against", metavar="B", help="the engine to compare with")] = "torch",
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", metavar="CKPT", help="the bundle's network, for torch")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="default: the bundle's sample")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            metavar="SHARE",
            help="of a map's spread; default: 0.001 between float networks, 0.05 with int8 on one side, 0 on both",
        ),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", metavar="N", help="CPU threads of our own engine")] = 1,
    dump: Annotated[
        Path | None, typer.Option("--dump", metavar="FILE.npz", help="write every map of both engines")
    ] = None,
    force: Force = False,
) -> None:
    """Show where two engines part: the map behind every layer, compared one by one.

    For example: nanoedge inspect layers mine.nanoedge --engine native:int8 --against native
    """
    from nanoedge.inspection.layer_report import compare_layers

    report = compare_layers(model, engine, against, checkpoint, picture, tolerance, threads, dump, force)
    terminal.finish(report.as_json(), _text(report, dump))


def _text(report: LayerReport, dump: Path | None) -> str:
    rows = [["layer", "kind", "map", "shape", "largest", "of spread", "typical", ""]]
    parted, first = report.parted, report.first
    for each in report.differences:
        mark = "first" if each is first else "*" if each in parted else ""
        figures = [f"{value:.2g}" for value in (each.largest, each.relative, each.typical)]
        shape = "x".join(map(str, each.shape))
        rows.append([each.layer.name, each.layer.kind, each.layer.output, shape, *figures, mark])
    lines = [table(rows), ""]
    names = f"{report.labels[0]} against {report.labels[1]}"
    limit = f"{report.tolerance:g} of their spread" + (" on average" if report.judged == "typical" else "")
    if first is None:
        lines.append(f"{names}: all {len(report.differences)} maps agree within {limit}")
    else:
        lines.append(
            f"{names}: {len(parted)} of {len(report.differences)} maps differ by more than {limit}, "
            f"the first is {first.layer.output} behind {first.layer.name}"
        )
    if report.alone:
        lines.append(f"without a counterpart: {', '.join(report.alone)}")
    if dump is not None:
        lines.append(f"written: {dump}")
    return "\n".join(lines)
