"""A run goes on as if nothing had happened, whatever happened."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.config.schema import TrainingConfig
from nanoedge.errors import InputError
from nanoedge.training.checkpoints import load_checkpoint, read_tensor_file, save_atomically
from nanoedge.training.runs.state import adapt_state
from nanoedge.training.train import resume, train
from tests.training.conftest import assert_same_run, curve, killed

SLOW_DISK = """
import sys, time, torch
from nanoedge.cli.main import main
save = torch.save
def slowly(document, stream, *rest):  # a stand-in for a slow disk: half a file, then a long wait
    if "loops" in document:
        stream.write(b"half"), stream.flush(), time.sleep(600)
    save(document, stream, *rest)
torch.save = slowly
main()
"""


def test_a_run_killed_before_its_first_step_starts_again_from_the_same_weights(
    tmp_path: Path, whole_run: Path, brief_settings: list[str]
) -> None:
    weights = tmp_path / "weights.ckpt"
    shutil.copy(whole_run / "checkpoints" / "best.ckpt", weights)
    settings = [setting for setting in brief_settings if "epochs" not in setting] + ["training.epochs=1"]
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    command = ["-m", "nanoedge", "train", "demo", *settings, "--weights", str(weights), "--out", str(stopped)]
    killed(command, stopped.exists)
    train(load_config("demo", settings), whole, weights, quiet=True)
    weights.unlink()
    assert (stopped / "config.yaml").is_file()
    assert not (stopped / "metrics.csv").exists() or curve(stopped) == []
    resume(stopped, quiet=True)
    assert_same_run(whole, stopped)


def test_a_kill_while_a_checkpoint_is_written_costs_nothing(
    tmp_path: Path, whole_run: Path, brief_settings: list[str]
) -> None:
    run = tmp_path / "run"
    parts = (run / "checkpoints").glob
    command = ["-c", SLOW_DISK, "train", "demo", *brief_settings, "--out", str(run)]
    killed(command, lambda: any(part.stat().st_size for part in parts(".*.part")))
    assert list(parts(".*.part"))
    resume(run, quiet=True)
    assert not list(parts(".*.part"))
    assert_same_run(whole_run, run)


def test_a_moved_run_with_all_that_kills_leave_goes_on_exactly(
    stopped_after: Callable[[int], Path], whole_run: Path
) -> None:
    run = stopped_after(2)
    metrics = run / "metrics.csv"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:3]) + "3,12,0.000")  # torn
    (run / ".metrics.csv.12345-0a1b2c3d.part").write_text("half a table")
    (run / "checkpoints" / ".last.ckpt.12345-0a1b2c3d.part").write_bytes(b"half a checkpoint")
    resume(run, quiet=True)
    assert_same_run(whole_run, run)
    assert not list(run.rglob("*.part"))


@pytest.mark.parametrize("epoch", [1, 2])
def test_loading_processes_begin_with_the_pictures_of_the_right_epoch(
    stopped_after: Callable[[int], Path], whole_run: Path, epoch: int
) -> None:
    run = stopped_after(epoch)
    resume(run, ["data.workers=1"], quiet=True)
    assert_same_run(whole_run, run)


def test_a_moved_run_keeps_its_best_metric(stopped_after: Callable[[int], Path]) -> None:
    run = stopped_after(1)
    last, best = run / "checkpoints" / "last.ckpt", run / "checkpoints" / "best.ckpt"
    document = read_tensor_file(last)
    state = next(state for key, state in document["callbacks"].items() if "val/AP" in key)
    state["best_model_score"] = state["kth_value"] = torch.tensor(0.99)
    state["best_k_models"] = {state["best_model_path"]: torch.tensor(0.99)}
    save_atomically(document, last)
    before = best.read_bytes()
    resume(run, quiet=True)
    assert best.read_bytes() == before
    kept = read_tensor_file(last)["callbacks"]
    assert next(state for key, state in kept.items() if "val/AP" in key)["best_model_path"] == str(best)


def test_a_log_shows_the_steps_that_were_trained_again_once(stopped_after: Callable[[int], Path]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = stopped_after(1)
    resume(run, quiet=True)
    log = EventAccumulator(str(run / "tensorboard"))
    log.Reload()
    steps = [event.step for event in log.Scalars("val/AP")]
    assert steps == [3, 7, 11]


def test_a_run_without_state_starts_from_its_seed(stopped_after: Callable[[int], Path], whole_run: Path) -> None:
    run = stopped_after(1)
    for name in ("checkpoints", "tensorboard"):
        shutil.rmtree(run / name)
    (run / "metrics.csv").unlink()
    resume(run, quiet=True)
    assert_same_run(whole_run, run)


def test_a_run_that_lost_its_state_is_refused(stopped_after: Callable[[int], Path]) -> None:
    run = stopped_after(1)
    (run / "checkpoints" / "last.ckpt").unlink()
    with pytest.raises(InputError, match=r"no checkpoints/last\.ckpt"):
        resume(run, quiet=True)


def test_kept_checkpoints_say_their_epoch(whole_run: Path) -> None:
    kept = [load_checkpoint(whole_run / "checkpoints" / f"epoch-{number}.ckpt") for number in (1, 2, 3)]
    assert [checkpoint.epoch for checkpoint in kept] == [1, 2, 3]
    assert kept[0].model()(torch.zeros(1, 3, 64, 96)).shape[0] == 1


def test_plain_weights_between_processes_are_left_alone() -> None:
    weights = {"model.backbone.stem.conv.weight": torch.zeros(1)}
    adapt_state(weights, Path("temporary.ckpt"), TrainingConfig())
    assert list(weights) == ["model.backbone.stem.conv.weight"]
