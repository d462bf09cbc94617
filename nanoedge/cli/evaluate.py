"""`nanoedge eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.options import Compute, EngineName, Precision, Threads
from nanoedge.cli.terminal import Terminal, command, table
from nanoedge.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "eval")(evaluate)


def evaluate(
    terminal: Terminal,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="a bundle's folder or a checkpoint")],
    annotations: Annotated[Path, typer.Option(help="COCO JSON with the true boxes")],
    images: Annotated[Path, typer.Option(help="folder that the file names in the annotations are relative to")],
    engine: EngineName = "auto",
    precision: Precision = "float",
    compute: Compute = "fp32",
    threads: Threads = None,
) -> None:
    """Measure COCO AP of a bundle on one of its engines, or of a checkpoint in PyTorch (engine torch)."""
    if model.is_dir():
        from nanoedge.evaluation.bundles import evaluate_bundle

        result = evaluate_bundle(
            model,
            annotations,
            images,
            engine,
            precision,
            compute,
            threads,
            terminal.progress,
        )
    else:
        if engine not in ("auto", "torch"):
            raise InputError(
                f"A checkpoint is evaluated in PyTorch only, not with {engine}; export it to a bundle first."
            )
        if (precision, compute) != ("float", "fp32"):
            raise InputError("A checkpoint is evaluated in float precision and fp32 only.")
        from nanoedge.training.evaluate import evaluate_checkpoint

        result = evaluate_checkpoint(model, annotations, images, threads, terminal.progress)
    document = result.as_json()
    rows = [["AP", "AP50", "AP75", "small", "medium", "large", "AR100", "pictures", "engine"]]
    keys = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR100")
    rows.append([_fraction(document[key]) for key in keys] + [str(document["images"]), document["engine"]])
    text = f"{table(rows)}\n(measured against {annotations})"
    if terminal.verbose:
        per_class = [["class", "AP"], *([name, _fraction(value)] for name, value in document["per_class"].items())]
        text += "\n\n" + table(per_class)
    terminal.finish(document, text)


def _fraction(value: float) -> str:
    """A fraction 0..1; COCO's -1 says that there was nothing to measure."""
    return "-" if value < 0 else f"{value:.4f}"
