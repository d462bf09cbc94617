"""A run: what it writes, that it learns, and that it goes on exactly where it stopped."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.errors import DataError, InputError
from nanoedge.training.checkpoints import load_checkpoint, read_tensor_file
from nanoedge.training.train import resume, train


def weights_of(checkpoint: Path) -> dict[str, torch.Tensor]:
    document = read_tensor_file(checkpoint)
    return {**document["current_model_state"], **{f"ema.{name}": part for name, part in document["state_dict"].items()}}


def assert_same_weights(one: Path, other: Path) -> None:
    first, second = weights_of(one), weights_of(other)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_a_run_writes_config_metrics_logs_and_both_checkpoints(small_run: Path) -> None:
    assert (small_run / "config.yaml").is_file()
    assert (small_run / "checkpoints" / "best.ckpt").is_file()
    assert (small_run / "checkpoints" / "last.ckpt").is_file()
    assert list((small_run / "tensorboard").glob("events.*"))
    rows = list(csv.DictReader((small_run / "metrics.csv").open()))
    assert [row["epoch"] for row in rows] == [str(number) for number in range(1, 9)]
    assert [bool(row["val_AP"]) for row in rows] == [False, False, False, True] * 2


def test_the_loss_falls(small_run: Path) -> None:
    rows = list(csv.DictReader((small_run / "metrics.csv").open()))
    assert float(rows[-1]["train_loss"]) < 0.95 * float(rows[0]["train_loss"])


def test_a_checkpoint_carries_all_that_export_needs(small_run: Path) -> None:
    checkpoint = load_checkpoint(small_run / "checkpoints" / "best.ckpt")
    assert checkpoint.classes == ("ring", "star", "cross", "arrow")
    assert checkpoint.config.input.width == 96
    assert len(checkpoint.data_fingerprint) == 16
    assert checkpoint.metrics is not None
    assert 0 <= checkpoint.metrics["AP"] <= 1
    assert checkpoint.model()(torch.zeros(1, 3, 64, 96)).shape[2] == 4 + 32


def test_the_averaged_weights_are_the_exported_ones(small_run: Path) -> None:
    document = read_tensor_file(small_run / "checkpoints" / "last.ckpt")
    averaged, current = document["state_dict"], document["current_model_state"]
    assert any(not torch.equal(averaged[name], current[name]) for name in averaged)
    name = "model.head.predict.0.weight"
    exported = load_checkpoint(small_run / "checkpoints" / "last.ckpt").weights[name.removeprefix("model.")]
    assert torch.equal(exported, averaged[name])


@pytest.mark.slow
def test_resume_after_an_epoch_equals_an_uninterrupted_run(tmp_path: Path, small_settings: list[str]) -> None:
    settings = [*small_settings, "training.epochs=4", "training.evaluate_every=2"]
    whole = train(load_config("demo", settings), tmp_path / "whole", quiet=True)
    stopped = tmp_path / "stopped"
    process = start_training(stopped, settings)
    wait_for(lambda: lines_of(stopped / "metrics.csv") >= 2, process)
    process.kill()
    process.wait()
    resume(stopped, quiet=True)
    assert_same_weights(whole.last, stopped / "checkpoints" / "last.ckpt")
    assert losses(tmp_path / "whole") == losses(stopped)


@pytest.mark.slow
def test_ctrl_c_saves_and_resume_goes_on_in_the_middle_of_the_epoch(tmp_path: Path, small_settings: list[str]) -> None:
    settings = [*small_settings, "training.epochs=3", "training.evaluate_every=3", "training.batch_size=2"]
    whole = train(load_config("demo", settings), tmp_path / "whole", quiet=True)
    stopped = tmp_path / "stopped"
    process = start_training(stopped, settings)
    wait_for(lambda: lines_of(stopped / "metrics.csv") >= 1, process)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "--resume" in errors
    progress = read_tensor_file(stopped / "checkpoints" / "last.ckpt")["loops"]["fit_loop"]
    assert progress["epoch_loop.batch_progress"]["current"]["ready"] > 0
    resume(stopped, quiet=True)
    assert_same_weights(whole.last, stopped / "checkpoints" / "last.ckpt")
    rows = list(csv.DictReader((stopped / "metrics.csv").open()))
    assert all(float(row["seconds"]) < 300 for row in rows)


def test_resume_keeps_the_best_metric_and_refuses_a_finished_run(tmp_path: Path, small_run: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    with pytest.raises(InputError, match=r"finished: 8 of 8.*--weights \S+last\.ckpt"):
        resume(run, quiet=True)


def test_a_run_is_not_resumed_with_other_annotations(tmp_path: Path, small_run: Path, shapes: Path) -> None:
    run, data = tmp_path / "run", tmp_path / "data"
    shutil.copytree(small_run, run)
    shutil.copytree(shapes, data)
    file = next((data / "annotations").glob("*train*"))
    file.write_text(file.read_text() + " ")
    with pytest.raises(DataError, match="are not those that the run began with"):
        resume(run, [f"data.root={data}"], quiet=True)


def test_only_the_place_of_data_and_machine_can_change_on_resume(small_run: Path) -> None:
    with pytest.raises(InputError, match="cannot be changed"):
        resume(small_run, ["training.learning_rate=1"], quiet=True)


def test_an_existing_run_is_not_overwritten(small_run: Path, small_settings: list[str]) -> None:
    before = (small_run / "metrics.csv").read_text()
    with pytest.raises(InputError, match="exists already"):
        train(load_config("demo", small_settings), small_run, quiet=True)
    assert (small_run / "metrics.csv").read_text() == before


def test_force_replaces_only_runs(tmp_path: Path, small_settings: list[str]) -> None:
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(InputError, match="not the folder of a training run"):
        train(load_config("demo", small_settings), tmp_path, force=True, quiet=True)
    assert (tmp_path / "precious.txt").exists()


def test_start_from_weights_lists_what_does_not_fit(tmp_path: Path, small_run: Path, small_settings: list[str]) -> None:
    said: list[str] = []
    settings = [*small_settings, "training.epochs=1", "model.head.reg_max=5"]
    best = small_run / "checkpoints" / "best.ckpt"
    train(load_config("demo", settings), tmp_path / "run", weights=best, quiet=True, say=said.append)
    assert any(text.startswith(f"weights from {best}") for text in said)
    left = next(text for text in said if text.startswith("starting at random"))
    assert "head.predict.0-3 (another reg_max)" in left
    assert "backbone" not in left


@pytest.mark.parametrize("predictions", ["agm", "head"])
def test_either_predictions_can_assign_after_the_detach_epoch(
    tmp_path: Path, small_settings: list[str], predictions: str
) -> None:
    settings = [*small_settings, "training.epochs=2", "model.agm.detach_epoch=1", f"assigner.predictions={predictions}"]
    assert train(load_config("demo", settings), tmp_path / "run", quiet=True).epochs == 2


def test_training_works_without_the_agm(tmp_path: Path, small_settings: list[str]) -> None:
    settings = [*small_settings, "training.epochs=1", "model.agm.enabled=false"]
    result = train(load_config("demo", settings), tmp_path / "run", quiet=True)
    assert not any(name.startswith("agm") for name in load_checkpoint(result.best).weights)


def start_training(run: Path, settings: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nanoedge", "train", "demo", *settings, "--out", str(run)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition, process: subprocess.Popen[str], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


def losses(run: Path) -> list[str]:
    return [row["train_loss"] for row in csv.DictReader((run / "metrics.csv").open())]


def test_train_prints_one_json_document(tmp_path: Path, small_settings: list[str], nanoedge) -> None:
    settings = [*small_settings, "training.epochs=1"]
    done = nanoedge("train", "demo", *settings, "--out", str(tmp_path / "run"), "--json")
    document = json.loads(done.stdout)
    assert Path(document["best"]).is_file()
    assert document["epochs"] == 1
