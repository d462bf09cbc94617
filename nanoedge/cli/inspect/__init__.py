"""`nanoedge inspect …`: one command a file."""

from __future__ import annotations

import typer

from nanoedge.cli.inspect import assign, layers, receptive_field
from nanoedge.cli.terminal import command

HELP = "Look into a network: which prior learns what, how far each part of it sees, where two engines part."


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help=HELP, no_args_is_help=True)
    command(group, "assign")(assign.assign)
    command(group, "receptive-field")(receptive_field.receptive_field)
    command(group, "layers")(layers.layers)
    app.add_typer(group, name="inspect")

    @group.callback(help=HELP)
    def _group() -> None:
        pass
