"""The statistics as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nanoedge.config.schema import Config
from nanoedge.data.stats.numbers import SplitStatistics, quartiles
from nanoedge.data.stats.plots import plots_of
from nanoedge.pages.page import rendered

TEMPLATE = Path(__file__).with_name("page.html")


def statistics_page(title: str, splits: Sequence[SplitStatistics], config: Config) -> str:
    """The page's text: a table over all splits, then plots and details of each."""
    parts = [{"split": split, "plots": plots_of(split), "sizes": list(split.sizes.items())[:12]} for split in splits]
    values = {
        "title": title,
        "splits": splits,
        "parts": parts,
        "input": f"{config.input.width}x{config.input.height}, {config.input.resize}",
        "quartiles": quartiles,
    }
    return rendered(TEMPLATE, values)
