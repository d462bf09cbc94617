"""`nanoedge train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.terminal import Terminal, command
from nanoedge.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "train")(train)


def train(
    terminal: Terminal,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CONFIG [KEY=VALUE]...",
            help="a shipped configuration's name or a YAML file, then settings such as training.epochs=30",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder of the run; default: runs/NAME")] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="start from these weights, as far as they fit: a checkpoint, NanoDet-Plus's own, or safetensors"
        ),
    ] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="go on with the run in this folder")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace the run in --out")] = False,
) -> None:
    """Train a detector; the result is a folder with config.yaml, metrics.csv and checkpoints/{best,last}.ckpt.

    Your own data in COCO, VOC or YOLO, with splits train and val in one folder:
    nanoedge train nanodet-plus-m_320 data.root=my_data
    """
    given = arguments or []
    names = [argument for argument in given if "=" not in argument]
    overrides = [argument for argument in given if "=" in argument]
    if resume is not None:
        if names or out or weights or force:
            raise InputError("--resume RUN goes on with a run as it is; give no CONFIG, --out, --weights or --force.")
    elif len(names) != 1:
        raise InputError("Give one CONFIG: a shipped name such as nanodet-plus-m_320, or a YAML file.")

    from nanoedge.config.load import load_config

    config = load_config(names[0], overrides) if names else None
    from nanoedge.training import train as training

    if config is None:
        assert resume is not None
        result = training.resume(resume, overrides, terminal.quiet, terminal.say)
    else:
        result = training.train(config, out, weights, force, terminal.quiet, terminal.say)
    if result.rank:
        return
    name = result.run.name
    terminal.finish(
        result.as_json(),
        f"best AP {result.best_ap:.3f} on the validation pictures: {result.best}\n"
        f"next: nanoedge export {result.best} --target ncnn --out {name}.nanoedge",
    )
