"""`nanoedge train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanoedge.cli.terminal import Terminal, command, table
from nanoedge.errors import InputError

if TYPE_CHECKING:
    from nanoedge.training.runs.seeds import SeedsResult
    from nanoedge.training.train import TrainingResult


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
    seeds: Annotated[int | None, typer.Option(min=2, help="train that many times, from training.seed on")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace the run in --out")] = False,
) -> None:
    """Train a detector; the result is a folder with report.html, metrics.csv and checkpoints/{best,last}.ckpt.

    Your own data in COCO, VOC or YOLO, with splits train and val in one folder:
    nanoedge train nanodet-plus-m_320 data.root=my_data
    """
    given = arguments or []
    names = [argument for argument in given if "=" not in argument]
    overrides = [argument for argument in given if "=" in argument]
    if resume is not None:
        if names or out or weights or seeds or force:
            raise InputError(
                "--resume RUN goes on with a run as it is; give no CONFIG, --out, --weights, --seeds or --force."
            )
    elif len(names) != 1:
        raise InputError("Give one CONFIG: a shipped name such as nanodet-plus-m_320, or a YAML file.")

    from nanoedge.config.load import load_config

    config = load_config(names[0], overrides) if names else None
    from nanoedge.training import train as training
    from nanoedge.training.runs import seeds as several

    say, quiet = terminal.say, terminal.quiet
    if config is None:
        assert resume is not None
        if several.holds_seeds(resume):
            _finish_seeds(terminal, several.resume_seeds(resume, overrides, quiet, say))
        else:
            _finish(terminal, training.resume(resume, overrides, quiet, say))
    elif seeds is not None:
        _finish_seeds(terminal, several.train_seeds(config, seeds, out, weights, force, quiet, say))
    else:
        _finish(terminal, training.train(config, out, weights, force, quiet, say))


def _finish(terminal: Terminal, result: TrainingResult) -> None:
    if result.rank:
        return
    report = "" if result.report is None else f"what it is like: {result.report}\n"
    terminal.finish(
        result.as_json(),
        f"best AP {result.best_ap:.3f} on the validation pictures: {result.best}\n{report}"
        f"next: nanoedge export {result.best} --target ncnn --out {result.run.name}.nanoedge",
    )


def _finish_seeds(terminal: Terminal, result: SeedsResult) -> None:
    hint = f"next: nanoedge export {result.best()['best']} --target ncnn --out {result.run.name}.nanoedge"
    terminal.finish(result.as_json(), f"{table(result.rows())}\n{hint}")
