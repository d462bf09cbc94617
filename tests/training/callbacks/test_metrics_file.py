"""The table of a run."""

from __future__ import annotations

from pathlib import Path

from nanoedge.training.callbacks.metrics_file import read_rows

HEAD = "epoch,step,train_loss,seconds\n"


def test_whole_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    assert read_rows(path) == []
    path.write_text(HEAD + "1,4,2.5,9.0\n2,8,2.25,9.0\n")
    assert [(row["epoch"], row["train_loss"]) for row in read_rows(path)] == [("1", "2.5"), ("2", "2.25")]


def test_a_torn_row_is_left_out_wherever_it_was_torn(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    last = "2,8,2.25,9.0"
    for length in range(len(last) + 1):
        path.write_text(HEAD + "1,4,2.5,9.0\n" + last[:length])
        assert [row["epoch"] for row in read_rows(path)] == ["1"]
    path.write_text(HEAD + "1,4,2.5,9.0\n2,8\n")
    assert [row["epoch"] for row in read_rows(path)] == ["1"]


def test_a_torn_heading_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(HEAD[:7])
    assert read_rows(path) == []
