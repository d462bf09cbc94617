"""What the report reads in a run's folder: rows, cut rows, rows of older versions; what the configuration changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanoedge.config.load import load_config
from nanoedge.training.report.numbers import best_epoch, differences, read_epochs, speed_of
from nanoedge.training.report.page import confusions
from nanoedge.training.runs.provenance import note_start, read_starts

OLD = """epoch,step,learning_rate,train_loss,val_AP,val_AP50,val_AP75,seconds
1,8,0.001,3.5,,,,10.0
2,16,0.0009,3.1,0.2,0.4,0.1,14.0
3,24,0.0008,2.9,0.2,0.3,0.1,12.0
4,32,0.00
"""


def test_rows_of_older_versions_and_cut_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(OLD)
    epochs = read_epochs(path)
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert epochs[0].metrics == {} and epochs[1].metrics == {"AP": 0.2, "AP50": 0.4, "AP75": 0.1}
    assert epochs[0].terms == {} and epochs[0].evaluation_seconds is None
    assert best_epoch(epochs) == 2  # of two that are equal the first was kept
    speed = speed_of(epochs, 24)
    assert speed is not None and (speed.epoch_seconds, speed.pictures_per_second) == (12, 2)
    assert speed.evaluation_seconds is None and speed.total_seconds == 36


def test_the_time_of_evaluations_is_not_training(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(
        "epoch,learning_rate,train_loss,head_giou,agm_giou,val_AP,seconds,val_seconds\n"
        "1,0.1,2.0,0.5,,,10.0,0.0\n2,0.1,1.9,0.4,0.3,0.1,16.0,6.0\n"
    )
    epochs = read_epochs(path)
    assert [epoch.terms for epoch in epochs] == [{"head_giou": 0.5}, {"head_giou": 0.4, "agm_giou": 0.3}]
    speed = speed_of(epochs, 30)
    assert speed is not None and (speed.epoch_seconds, speed.evaluation_seconds) == (10, 6)


def test_a_run_without_rows_has_no_epochs_and_no_speed(tmp_path: Path) -> None:
    assert read_epochs(tmp_path / "metrics.csv") == []
    assert speed_of([], 10) is None and best_epoch([]) is None


def test_a_run_is_compared_with_the_shipped_configuration_of_its_name() -> None:
    assert differences(load_config("demo").for_pictures(100), 100) == []
    changed = differences(load_config("demo", ["training.epochs=7", "input.width=96"]).for_pictures(100), 100)
    assert changed is not None and [(key, own) for key, _, own in changed] == [
        ("input.width", "96"),
        ("training.epochs", "7"),
    ]
    assert differences(load_config("demo", ["name=mine"]).for_pictures(100), 100) is None


def test_confusions_are_listed_by_count() -> None:
    matrix = np.array([[5, 2, 0, 3], [0, 4, 1, 0], [0, 0, 6, 0], [9, 0, 0, 0]])
    assert confusions(matrix, ["a", "b", "c"]) == [("a", "b", 2, 0.2), ("b", "c", 1, 0.2)]


def test_starts_are_kept_in_order_and_a_cut_line_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "starts.jsonl"
    assert read_starts(path) == []
    monkeypatch.setattr("sys.argv", ["/bin/nanoedge", "train", "demo", "data.root=my data"])
    note_start(path, "cpu")
    with path.open("a") as stream:
        stream.write('{"time": "20\n')
    monkeypatch.setattr("sys.argv", ["/opt/pytest"])
    note_start(path, "cuda:0")
    first, second = read_starts(path)
    assert first["command"] == "nanoedge train demo 'data.root=my data'" and first["device"] == "cpu"
    assert second["command"] == "from Python" and "torch" in second["versions"]
