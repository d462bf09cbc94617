"""`nanoedge inspect assign`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal, table
from nanoedge.errors import InputError

if TYPE_CHECKING:
    from nanoedge.inspection.assignment import PictureAssignment


def assign(
    terminal: Terminal,
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="CKPT [KEY=VALUE]...",
            help="a checkpoint of any epoch, then settings such as data.root=elsewhere (data.*, input.*, assigner.*)",
        ),
    ],
    picture: Annotated[
        list[str] | None,
        typer.Option(
            "--picture",
            metavar="NAME",
            help="a picture of the run's data: file name, path or id; may be repeated; default: the first with objects",
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="train|val", help="default: val, for named pictures also train")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("--count", help="pictures, when none is named; default: 3, into a file 1", min=1, max=1000),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="PLACE", help="FILE.png or FILE.jpg for one picture, else a folder")
    ] = Path("assignment"),
    force: Force = False,
) -> None:
    """Draw which priors on which stride learn which object with what soft label, the head's choice above the AGM's.

    For example: nanoedge inspect assign runs/mine/checkpoints/last.ckpt --picture street.jpg --out assign.png
    """
    names = [argument for argument in arguments if "=" not in argument]
    if len(names) != 1:
        raise InputError("Give one CKPT, such as runs/mine/checkpoints/last.ckpt; pictures are named with --picture.")
    from nanoedge.inspection.assignment_files import draw_assignments

    overrides = [argument for argument in arguments if "=" in argument]
    result = draw_assignments(Path(names[0]), overrides, picture or (), split, count, out, force)
    lines = [f"{result.checkpoint}: {result.stage}"]
    for assignment, place in result.drawn:
        objects = f"{len(assignment.objects)} object{'' if len(assignment.objects) == 1 else 's'}"
        lines += ["", f"{place}: {assignment.name} ({assignment.split}), {objects}"]
        lines.append(_rows(assignment))
        if assignment.agreement is not None:
            lines.append(f"chosen by both: {100 * assignment.agreement:.0f} % of all pairs of prior and object")
    if not result.has_agm:
        lines += ["", "This checkpoint has no AGM (such are imported ones): what the head would assign is shown alone."]
    terminal.finish(result.as_json(), "\n".join(lines))


def _rows(assignment: PictureAssignment) -> str:
    from nanoedge.inspection.assignment import mean_quality
    from nanoedge.inspection.assignment_picture import TITLES

    rows = [["", "priors", "soft label", *(f"stride {stride}" for stride in assignment.strides)]]
    for guide in assignment.guides:
        row = [TITLES[guide]]
        for stride in (None, *assignment.strides):
            positives = assignment.positives(guide, stride)
            mean = mean_quality(positives)
            label = "-" if mean is None else f"{mean:.2f}"
            row += [str(len(positives)), label] if stride is None else [f"{len(positives)} ({label})"]
        rows.append(row)
    return table(rows)
