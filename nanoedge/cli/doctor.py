"""`nanoedge doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.terminal import Terminal, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "doctor")(doctor)


def doctor(
    terminal: Terminal,
    bundle: Annotated[
        Path | None, typer.Argument(metavar="[BUNDLE]", help="a bundle's folder, to see which engine would run it")
    ] = None,
) -> None:
    """Show what this machine offers to a detector (CPU, cameras, heat, engines) and what to change.

    Exit status 0 whatever the advice is.
    """
    from nanoedge.bundle import load_bundle
    from nanoedge.doctor.advice import advise
    from nanoedge.doctor.findings import look
    from nanoedge.doctor.report import as_json, as_text

    findings = look(load_bundle(bundle) if bundle is not None else None)
    advice = advise(findings)
    terminal.finish(as_json(findings, advice), as_text(findings, advice))
