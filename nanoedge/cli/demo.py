"""`nanoedge demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal, command, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "demo")(demo)


def demo(
    terminal: Terminal,
    out: Annotated[Path, typer.Option(help="folder to make")] = Path("demo"),
    force: Force = False,
) -> None:
    """Everything once, in a few minutes: draw data, train, export to all engines, compare them, show the boxes."""
    from nanoedge.demo import run_demo

    result = run_demo(out, force, terminal.quiet, terminal.say)
    rows = [["engine", "AP", "AP50", "preprocess ms", "forward ms", "postprocess ms", "total ms"]]
    for row in result.engines:
        stages = [f"{row[stage]['p50']:.2f}" if stage in row else "-" for stage in _STAGES]
        rows.append([row["engine"], f"{row['AP']:.3f}", f"{row['AP50']:.3f}", *stages])
    terminal.finish(
        result.as_json(),
        f"{table(rows)}\n"
        f"(median of one {result.size[0]}x{result.size[1]} picture on one thread; {result.seconds:.0f} s in all)\n\n"
        f"boxes to look at: {result.sheet}\n"
        f"next: nanoedge detect {result.bundle} PICTURE --out found\n"
        f"      nanoedge train nanodet-plus-m_320 data.root=YOUR_DATA …   (see the README)",
    )


_STAGES = ("preprocess", "forward", "postprocess", "total")
