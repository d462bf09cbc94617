"""`nanoedge data convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.data.options import Folder, FormatName, Link
from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal


def convert(
    terminal: Terminal,
    folder: Folder,
    to: Annotated[str, typer.Option("--to", metavar="coco|voc|yolo", help="format to write")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder to make")],
    format: FormatName = None,
    val: Annotated[
        float, typer.Option("--val", metavar="SHARE", help="split off a share of the pictures as val, such as 0.2")
    ] = 0.0,
    link: Link = False,
    force: Force = False,
) -> None:
    """Write a data set in another format, with its pictures, and say what the new format has no place for."""
    from nanoedge.data.convert import convert_folder

    progress = terminal.progress
    done = convert_folder(folder, to, out, format, val, link, force, lambda count, total: progress(count, total))
    splits = ", ".join(f"{name} ({pictures} pictures, {boxes} boxes)" for name, pictures, boxes in done.rows())
    lost = "".join(f"\nlost: {loss}" for loss in done.losses) or "\nnothing was lost"
    terminal.finish(done.as_json(), f"{out}: {splits}{lost}\nnext: nanoedge data check {out}")
