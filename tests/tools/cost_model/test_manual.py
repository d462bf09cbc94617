"""The manual's modelled and published times are those of the results and of the model's own table."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tools.cost_model.cores import CORES
from tools.cost_model.published import PUBLISHED

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def rows() -> dict[str, list[str]]:
    """The board page's table of times: cells behind the board, by its name."""
    page = (REPOSITORY / "docs" / "boards.md").read_text()
    heading = r"^\| board \| native float32, \*\*modelled\*\*.*\n\|[-|]+\n((?:\|.*\n)+)"
    (table,) = re.findall(heading, page, re.MULTILINE)
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
    return {board: rest for board, *rest in cells}


def test_modelled_times_are_those_of_the_results(rows: dict[str, list[str]]) -> None:
    document = json.loads((REPOSITORY / "docs" / "results" / "arm-native.json").read_text())
    modelled = {figure["name"]: figure["value"] for figure in document["figures"] if figure["unit"] == "ms"}
    assert len(rows) == len(CORES)
    for core in CORES.values():
        cpu, board = core.title.removesuffix(")").split(" (")
        ((floats, bytes_, _),) = [cells for name, cells in rows.items() if name == f"{board}, {cpu}"]
        for cell, precision in ((floats, "float"), (bytes_, "int8")):
            start = f"modelled: {core.title}, native {precision} "
            (value,) = [value for name, value in modelled.items() if name.startswith(start)]
            assert float(cell) == value, f"{core.title}, {precision}"


def test_published_times_are_named_as_such(rows: dict[str, list[str]]) -> None:
    for each in PUBLISHED:
        board = each.title.split(",")[0]
        ((_, _, cell),) = [cells for name, cells in rows.items() if name.startswith(f"{board},")]
        assert cell.startswith(f"{each.milliseconds:g} ") and f"{each.work:g} of the work" in cell
