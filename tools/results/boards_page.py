"""Writes the table of times in docs/boards.md from the results: python -m tools.results.boards_page.

To be run after the benchmark arm-native, whose JSON it reads; a test holds the page to it.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from tools.cost_model.cores import CORES
from tools.cost_model.published import PUBLISHED
from tools.results.figures import REPOSITORY

PAGE = REPOSITORY / "docs" / "boards.md"
RESULTS = REPOSITORY / "docs" / "results" / "arm-native.json"
HEADING = (
    "| board | native float32, **modelled** | native int8, **modelled** | ncnn, **published** |\n|---|---|---|---|\n"
)
PRECISIONS = ("float", "int8")
NONE = "\N{EN DASH}"


def main() -> None:
    """Put the rows in the place of those that are there."""
    document = json.loads(RESULTS.read_text()) if RESULTS.is_file() else None
    page = PAGE.read_text()
    written = with_rows(page, table(document))
    if written == page:
        print(f"{PAGE.relative_to(REPOSITORY)} is as the results are", file=sys.stderr)
    PAGE.write_text(written)


def table(document: dict[str, Any] | None) -> str:
    """The rows: modelled milliseconds of a frame by precision, then what others published; `None`: not counted yet."""
    values = {figure["name"]: figure["value"] for figure in document["figures"]} if document else {}
    rows = []
    for name, core in CORES.items():
        cpu, _, board = core.title.removesuffix(")").partition(" (")
        cells = []
        for precision in PRECISIONS:
            start = f"modelled: {core.title}, native {precision} "
            found = [value for title, value in values.items() if title.startswith(start)]
            cells.append(str(found[0]) if found else NONE)
        published = [f"{each.milliseconds:g} ({each.work:g} of the work)" for each in PUBLISHED if each.core == name]
        rows.append(f"| {board}, {cpu} | {' | '.join(cells)} | {', '.join(published) or NONE} |\n")
    return "".join(rows)


def with_rows(page: str, rows: str) -> str:
    """The page with other rows below the table's heading."""
    written, count = re.subn(re.escape(HEADING) + r"(?:\|.*\n)+", lambda _: HEADING + rows, page)
    if count != 1:
        sys.exit(f"{PAGE} has no table of modelled times.")
    return written


if __name__ == "__main__":
    main()
