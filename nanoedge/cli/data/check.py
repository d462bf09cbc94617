"""`nanoedge data check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanoedge.cli.data.options import DEFAULT_CONFIG, ConfigName, Folder, FormatName, InputSize, Link, config_of
from nanoedge.cli.options import Force
from nanoedge.cli.terminal import Terminal

if TYPE_CHECKING:
    from nanoedge.data.annotations import Problem
    from nanoedge.data.check.fix import Fixed

MOST_SHOWN = 5  # of a kind, without -v


def check(
    terminal: Terminal,
    folder: Folder,
    format: FormatName = None,
    config: ConfigName = DEFAULT_CONFIG,
    input_size: InputSize = None,
    fix: Annotated[
        Path | None, typer.Option("--fix", metavar="OUT", help="write a corrected copy; the original stays")
    ] = None,
    link: Link = False,
    force: Force = False,
) -> None:
    """Find what is wrong with a data set: in every annotation set of DIR, each defect once, with its cure.

    The exit status is 1 when an error stands: something that stops a training or makes its result worthless.
    """
    wanted = config_of(config, input_size)
    from nanoedge.data.check.report import check_folder

    result = check_folder(folder, wanted, format, lambda done, total: terminal.progress(done, total))
    document: dict[str, Any] = result.as_json()
    pictures = len({picture.path for found in result.sets for picture in found.pictures})
    sets = ", ".join(found.name for found in result.sets) or "no annotations that can be read"
    lines = [f"{folder}: {pictures} pictures in {sets}", *_lines(result.problems, terminal.verbose)]
    standing = [problem for problem in result.problems if problem.severity == "error"]
    if fix is not None:
        from nanoedge.data.check.fix import write_fixed

        fixed = write_fixed(result, fix, link, force, lambda done, total: terminal.progress(done, total))
        lines += ["", *_fixed_lines(fixed)]
        standing = [problem for problem in fixed.left if problem.severity == "error"]
        document["fixed"] = {
            "out": str(fix),
            "splits": fixed.copy.as_json()["splits"],
            "mended": fixed.done,
            "left": [problem.as_json() for problem in fixed.left],
            "losses": list(fixed.copy.losses),
        }
    elif standing:
        formats = list(dict.fromkeys(found.format for found in result.sets))
        chosen = f" --format {formats[0]}" if len(formats) > 1 else ""
        lines.append(f"next: nanoedge data check {folder}{chosen} --fix NEW_FOLDER writes a corrected copy")
    terminal.finish(document, "\n".join(lines))
    if standing:
        raise typer.Exit(1)


def _fixed_lines(fixed: Fixed) -> list[str]:
    mended = ", ".join(f"{count} {kind}" for kind, count in fixed.done.items()) or "nothing"
    lines = [f"a corrected copy is in {fixed.copy.out}: mended or left out {mended}"]
    for name, (pictures, boxes) in fixed.before.items():
        kept, left = fixed.copy.splits.get(name, (0, 0))
        lines.append(f"{name}: {kept} of {pictures} pictures, {left} of {boxes} boxes")
    lines += [f"lost: {loss}" for loss in fixed.copy.losses]
    if fixed.left:
        lines.append("left for you: " + ", ".join(sorted({problem.kind for problem in fixed.left})))
    return lines


def _lines(problems: tuple[Problem, ...], all_of_them: bool) -> list[str]:
    if not problems:
        return ["nothing is wrong with it"]
    lines = []
    for kind in dict.fromkeys(problem.kind for problem in problems):
        alike = [problem for problem in problems if problem.kind == kind]
        lines.append(f"\n{alike[0].severity}: {kind} ({len(alike)})")
        for problem in alike if all_of_them else alike[:MOST_SHOWN]:
            place = f"{problem.file}:{problem.line}" if problem.line is not None else str(problem.file)
            lines.append(f"  {place}: {problem.message}")
        if len(alike) > MOST_SHOWN and not all_of_them:
            lines.append(f"  … and {len(alike) - MOST_SHOWN} more; -v shows all")
        lines.append(f"  {' '.join(dict.fromkeys(problem.cure for problem in alike))}")
    counts = {name: sum(problem.severity == name for problem in problems) for name in ("error", "warning", "info")}
    found = ", ".join(f"{count} {name}{'s' if count != 1 else ''}" for name, count in counts.items() if count)
    return [*lines, f"\n{found}"]
