"""`nanoedge import-nanodet`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "import-nanodet")(import_nanodet)


def import_nanodet(
    terminal: Terminal,
    checkpoint: Annotated[Path, typer.Argument(metavar="CKPT", help="a checkpoint of the original NanoDet project")],
    config: Annotated[
        str, typer.Option(metavar="YAML_OR_NAME", help="the original's YAML, or the name of one of our configurations")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.ckpt", help="where our checkpoint goes")],
    classes: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="class names; default: the YAML's, or COCO's for a network with 80 classes"),
    ] = None,
    force: Force = False,
) -> None:
    """Turn a NanoDet-Plus checkpoint of the original project into one of ours."""
    from nanoedge.training.import_nanodet import import_checkpoint

    names = tuple(name.strip() for name in classes.split(",") if name.strip()) if classes else None
    result = import_checkpoint(checkpoint, config, out, names, force, terminal.say)
    terminal.finish(
        {"checkpoint": str(out), "classes": list(result.classes), "agm": result.agm},
        f"{out} is written: {len(result.classes)} classes, {'with' if result.agm else 'without'} the AGM.\n"
        f"next: nanoedge export {out} --target all --out {out.stem}.nanoedge",
    )
