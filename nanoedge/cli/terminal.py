"""What every command shares: where its words go, and the options that mean the same everywhere."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer


@dataclass(frozen=True)
class Terminal:
    """Progress and remarks go to standard error, the result to standard output.

    Attributes:
        json: the result is one JSON document and nothing else goes to standard output.
        quiet: no remarks.
        verbose: more remarks.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False

    def say(self, text: str) -> None:
        """A remark."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def detail(self, text: str) -> None:
        """A remark for those who asked for more."""
        if self.verbose:
            print(text, file=sys.stderr, flush=True)

    def progress(self, done: int, total: int, unit: str = "pictures") -> None:
        """A counter that stays on its line; shown on a terminal only."""
        if not self.quiet and sys.stderr.isatty():
            print(f"\r{done}/{total} {unit}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    def finish(self, document: Any, text: str) -> None:
        """The result: `document` with `--json`, else `text`, whose hints ("next: …") a quiet command leaves out."""
        if self.json:
            sys.__stdout__.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")  # type: ignore[union-attr]
            sys.__stdout__.flush()  # type: ignore[union-attr]
        else:
            lines = [line for line in text.splitlines() if not (self.quiet and line.startswith("next: "))]
            if lines:
                print("\n".join(lines), flush=True)


_SHARED: dict[str, Any] = {
    "json_output": Annotated[bool, typer.Option("--json", help="print one JSON document on standard output")],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="no progress, no remarks")],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="more remarks")],
    "debug": Annotated[bool, typer.Option("--debug", help="show a traceback with an error")],
}


def command(app: typer.Typer, name: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a command; its first argument receives a `Terminal`, the shared options are added."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(**arguments: Any) -> None:
            shared = {key: arguments.pop(key) for key in _SHARED}
            terminal = Terminal(shared["json_output"], shared["quiet"], shared["verbose"])
            with contextlib.redirect_stdout(sys.stderr) if terminal.json else contextlib.nullcontext():
                function(terminal, **arguments)

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        added = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
            for key, annotation in _SHARED.items()
        ]
        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + added
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, **settings)(run)
        return function

    return register


def table(rows: list[list[str]]) -> str:
    """Rows as aligned columns; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
