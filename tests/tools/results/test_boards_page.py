"""The manual's modelled and published times are those of the results and of the model's own table."""

from __future__ import annotations

import json

import pytest
from tools.cost_model.cores import CORES
from tools.results.boards_page import HEADING, NONE, PAGE, RESULTS, table, with_rows


def test_the_page_says_what_the_results_say() -> None:
    document = json.loads(RESULTS.read_text()) if RESULTS.is_file() else None
    page = PAGE.read_text()
    assert with_rows(page, table(document)) == page, "run: python -m tools.results.boards_page"


def test_modelled_and_published_times_stand_apart() -> None:
    titles = {name: f"modelled: {core.title}, native int8 (kernels), a frame" for name, core in CORES.items()}
    figures = [{"name": titles["cortex-a76"], "value": 9.5}, {"name": titles["cortex-a53"], "value": 88.0}]
    rows = table({"figures": figures}).splitlines()
    assert len(rows) == len(CORES)
    assert rows[0] == f"| Raspberry Pi 5, Cortex-A76 at 2.4 GHz | {NONE} | 9.5 | 19.6 (0.72 of the work) |"
    assert rows[1] == f"| Raspberry Pi 4, Cortex-A72 at 1.5 GHz | {NONE} | {NONE} | 103 (0.72 of the work) |"
    assert [row.split(" | ")[2:] for row in rows[2:]] == [["88.0", f"{NONE} |"], [NONE, f"{NONE} |"]]


def test_a_page_without_the_table_is_refused() -> None:
    assert with_rows(f"a\n{HEADING}| old |\n| rows |\nb\n", "| new |\n") == f"a\n{HEADING}| new |\nb\n"
    with pytest.raises(SystemExit, match="no table"):
        with_rows("nothing", "| new |\n")
