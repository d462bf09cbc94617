"""`nanoedge data synth`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.options import Force, parse_size
from nanoedge.cli.terminal import Terminal


def synth(
    terminal: Terminal,
    out: Annotated[Path, typer.Argument(metavar="DIR", help="folder to make")],
    train: Annotated[int, typer.Option(help="pictures to learn from")] = 400,
    val: Annotated[int, typer.Option(help="pictures to measure on")] = 80,
    size: Annotated[str, typer.Option(metavar="WxH", help="size of the pictures")] = "320x240",
    seed: Annotated[int, typer.Option(help="another seed gives other pictures")] = 0,
    negatives: Annotated[float, typer.Option(help="share of pictures without objects")] = 0.1,
    force: Force = False,
) -> None:
    """Draw a synthetic data set in COCO JSON: textured, rotated, partly hidden shapes on cluttered backgrounds."""
    from nanoedge.data.synthetic import write_synthetic_set

    files = write_synthetic_set(
        out, {"train": train, "val": val}, parse_size(size, "--size"), seed, negatives, force, terminal.progress
    )
    terminal.finish(
        {split: str(file) for split, file in files.items()},
        f"{train} + {val} pictures are drawn in {out}.\nnext: nanoedge train demo data.root={out}",
    )
