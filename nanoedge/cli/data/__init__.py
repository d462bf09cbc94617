"""`nanoedge data …`: one command a file."""

from __future__ import annotations

import typer

from nanoedge.cli.data import check, convert, preview, stats, synth
from nanoedge.cli.terminal import command

HELP = "Check, convert, look at and make data sets."


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help=HELP, no_args_is_help=True)
    command(group, "check")(check.check)
    command(group, "convert")(convert.convert)
    command(group, "stats")(stats.stats)
    command(group, "preview")(preview.preview)
    command(group, "synth")(synth.synth)
    app.add_typer(group, name="data")

    @group.callback(help=HELP)
    def _group() -> None:
        pass
