"""`nanoedge data stats`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanoedge.cli.data.options import DEFAULT_CONFIG, ConfigName, Folder, FormatName, InputSize, config_of
from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal, table

if TYPE_CHECKING:
    from nanoedge.data.stats.numbers import SplitStatistics

MOST_CLASSES = 20  # rows of the table of classes, without -v


def stats(
    terminal: Terminal,
    folder: Folder,
    format: FormatName = None,
    config: ConfigName = DEFAULT_CONFIG,
    input_size: InputSize = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="also write one page with plots that needs nothing else"),
    ] = None,
    force: Force = False,
) -> None:
    """Show what a data set is like: pictures, boxes, classes, sizes, and which strides hold its boxes."""
    wanted = config_of(config, input_size)
    from nanoedge.data.stats.numbers import folder_statistics
    from nanoedge.files import refuse_existing, write_atomically

    if html is not None:
        refuse_existing(html, force)
    splits = folder_statistics(folder, wanted, format)
    if html is not None:
        from nanoedge.data.stats.page import statistics_page

        title = f"Data set {folder.resolve().name}"
        write_atomically(html, statistics_page(title, splits, wanted).encode())
    document = {"input": f"{wanted.input.width}x{wanted.input.height}", "splits": [each.as_json() for each in splits]}
    written = f"\n\nthe page with plots: {html}" if html is not None else ""
    terminal.finish(document, f"{_splits(splits)}\n\n{_classes(splits, terminal.verbose)}{written}")


def _splits(splits: list[SplitStatistics]) -> str:
    from nanoedge.data.stats.numbers import quartiles

    strides = list(splits[0].per_stride)
    rows = [["split", "pictures", "negatives", "boxes", "a picture", "width px", "height px"]]
    rows[0] += [f"stride {stride}" for stride in strides]
    for split in splits:
        spread = [quartiles(split.objects), quartiles(split.sides[:, 0]), quartiles(split.sides[:, 1])]
        rows.append(
            [
                split.name,
                str(split.pictures),
                str(split.negatives),
                str(split.boxes),
                *(f"{each['q1']:.0f}-{each['q3']:.0f}" if each else "-" for each in spread),
                *(f"{100 * split.per_stride[stride]:.1f} %" for stride in strides),
            ]
        )
    legend = (
        "ranges are the middle half; px: in the network's input; stride: share of boxes, by the finest that holds them"
    )
    return f"{table(rows)}\n{legend}"


def _classes(splits: list[SplitStatistics], all_of_them: bool) -> str:
    names = list(dict.fromkeys(name for split in splits for name in split.per_class))
    totals = {name: sum(split.per_class.get(name, 0) for split in splits) for name in names}
    ranked = sorted(names, key=lambda name: -totals[name])
    shown = ranked if all_of_them else ranked[:MOST_CLASSES]
    rows = [["class", *(split.name for split in splits)]]
    rows += [[name, *(str(split.per_class.get(name, 0)) for split in splits)] for name in shown]
    more = f"\n… and {len(ranked) - len(shown)} more classes; -v shows all" if len(shown) < len(ranked) else ""
    return table(rows) + more
