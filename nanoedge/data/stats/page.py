"""The statistics as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nanoedge import __version__
from nanoedge.config.schema import Config
from nanoedge.data.stats.numbers import SplitStatistics, quartiles
from nanoedge.data.stats.plots import plots_of
from nanoedge.errors import NanoEdgeError

TEMPLATE = Path(__file__).with_name("page.html")


def statistics_page(title: str, splits: Sequence[SplitStatistics], config: Config) -> str:
    """The page's text: a table over all splits, then plots and details of each."""
    try:
        import jinja2
    except ImportError as error:
        raise NanoEdgeError("The page is made by Jinja2: pip install 'nanoedge[train]'.") from error
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    parts = [{"split": split, "plots": plots_of(split), "sizes": list(split.sizes.items())[:12]} for split in splits]
    return template.render(
        title=title,
        splits=splits,
        parts=parts,
        input=f"{config.input.width}x{config.input.height}, {config.input.resize}",
        quartiles=quartiles,
        version=__version__,
    )
