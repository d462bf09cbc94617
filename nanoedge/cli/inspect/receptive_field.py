"""`nanoedge inspect receptive-field`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal, table
from nanoedge.errors import InputError


def receptive_field(
    terminal: Terminal,
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="CONFIG_OR_CKPT [KEY=VALUE]...",
            help="a configuration with settings, or a checkpoint, whose trained weights are then measured too",
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="draw the fields into this picture")] = None,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="measure a checkpoint on these; default: drawn scenes"),
    ] = None,
    count: Annotated[int, typer.Option("--count", help="pictures to measure on", min=1, max=1000)] = 2,
    force: Force = False,
) -> None:
    """Show how far each part of a network sees: the backbone's features, the neck's levels, the head's predictions.

    For example: nanoedge inspect receptive-field nanodet-plus-m_320
    """
    names = [argument for argument in arguments if "=" not in argument]
    if len(names) != 1:
        raise InputError(
            "Give one CONFIG or checkpoint, such as nanodet-plus-m_320 or runs/mine/checkpoints/best.ckpt."
        )
    from nanoedge.inspection.receptive_field_report import report_receptive_fields

    overrides = [argument for argument in arguments if "=" in argument]
    report = report_receptive_fields(names[0], overrides, out, pictures, count, force)
    rows = [["part", "stride", "channels", "theoretical px"] + (["effective px"] if report.effective else [])]
    for field, effective in zip(report.fields, report.effective or [None] * len(report.fields), strict=True):
        channels = "-" if field.channels is None else str(field.channels)
        row = [field.part, str(field.stride), channels, str(field.pixels)]
        rows.append(row + ([str(effective.pixels)] if effective else []))
    lines = [table(rows), *report.remarks]
    if out is not None:
        lines.append(f"drawn: {out}")
    terminal.finish(report.as_json(), "\n".join(lines))
