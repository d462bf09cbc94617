"""Options that several data commands take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanoedge.cli.options import parse_size

if TYPE_CHECKING:
    from nanoedge.config.schema import Config

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="folder of the data set")]
FormatName = Annotated[
    str | None,
    typer.Option("--format", metavar="coco|voc|yolo", help="annotations to read; default: all that are there"),
]
ConfigName = Annotated[
    str, typer.Option("--config", metavar="CONFIG", help="whose input size and head decide what the network can see")
]
InputSize = Annotated[
    str | None, typer.Option("--input-size", metavar="WxH", help="another input size, such as 416x416")
]
Link = Annotated[bool, typer.Option("--link", help="hard links to the pictures instead of copies")]
DEFAULT_CONFIG = "nanodet-plus-m_320"


def config_of(name: str, input_size: str | None) -> Config:
    """The configuration, with another input size if that was asked for."""
    from nanoedge.config.load import load_config

    settings = []
    if input_size is not None:
        width, height = parse_size(input_size, "--input-size")
        settings = [f"input.width={width}", f"input.height={height}"]
    return load_config(name, settings)
