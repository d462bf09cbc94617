"""`nanoedge data preview`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal
from nanoedge.errors import InputError


def preview(
    terminal: Terminal,
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="CONFIG [KEY=VALUE]...",
            help="as for nanoedge train: a shipped configuration's name or a YAML file, then settings",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="picture to write")] = Path("preview.jpg"),
    count: Annotated[int, typer.Option("--count", help="pictures on the sheet", min=1, max=400)] = 24,
    columns: Annotated[int, typer.Option("--columns", help="pictures a row", min=1, max=40)] = 6,
    epoch: Annotated[int, typer.Option("--epoch", help="of the training, from 1", min=1)] = 1,
    split: Annotated[
        str, typer.Option("--split", help="train (augmented) or val (as evaluation prepares it)")
    ] = "train",
    force: Force = False,
) -> None:
    """Draw a contact sheet of what the network will really see, with its boxes.

    For example: nanoedge data preview nanodet-plus-m_320 data.root=my_data --out sheet.jpg
    """
    names = [argument for argument in arguments if "=" not in argument]
    if len(names) != 1:
        raise InputError("Give one CONFIG: a shipped name such as nanodet-plus-m_320, or a YAML file.")
    if split not in ("train", "val"):
        raise InputError(f"--split is train or val, not {split!r}.")
    from nanoedge.config.load import load_config
    from nanoedge.data.preview import seen_in_evaluation, seen_in_training
    from nanoedge.data.splits import read_splits
    from nanoedge.files import refuse_existing
    from nanoedge.pictures import write_picture
    from nanoedge.runtime.drawing import contact_sheet, draw_detections

    refuse_existing(out, force)
    config = load_config(names[0], [argument for argument in arguments if "=" in argument])
    splits = read_splits(config)
    config = config.for_pictures(len(splits.train))
    if split == "train":
        seen = seen_in_training(splits, config, count, epoch - 1)
    else:
        seen = seen_in_evaluation(splits, config, count)
    drawn = [draw_detections(each.picture, each.truth, scores=False) for each in seen]
    cell = (config.input.width, config.input.height)
    write_picture(out, contact_sheet(drawn, columns, cell, [each.name for each in seen]))
    boxes = sum(len(each.truth) for each in seen)
    document = {"out": str(out), "recipe": config.recipe, "pictures": len(seen), "boxes": boxes}
    terminal.finish(document, f"{out}: {len(seen)} pictures, {boxes} boxes, recipe {config.recipe}")
