"""`nanoedge report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.terminal import Terminal, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "report")(report)


def report(
    terminal: Terminal,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="folder of a training run")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="where the data lie now, such as data.root=my_data"),
    ] = None,
) -> None:
    """Make a run's report.html again: finished, stopped or still going on, as soon as it has checkpoints/best.ckpt."""
    from nanoedge.training.report.write import report_again

    page = report_again(run, settings or [], terminal.say)
    terminal.finish({"run": str(run), "report": str(page)}, f"open it in a browser: {page}")
