"""The same run with several seeds."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean, stdev

import pytest
from nanoedge.config.load import load_config
from nanoedge.errors import CheckpointError, InputError, TrainingInterruptedError
from nanoedge.training.checkpoints import load_checkpoint
from nanoedge.training.runs import seeds as several
from nanoedge.training.runs.seeds import SeedsResult, resume_seeds, train_seeds
from nanoedge.training.train import train
from tests.training.conftest import assert_same_run


def test_each_seed_is_a_run_and_an_interrupted_whole_goes_on_with_what_is_left(
    tmp_path: Path, brief_settings: list[str], monkeypatch, nanoedge
) -> None:
    settings = [*brief_settings, "training.epochs=1", "training.seed=4"]
    run = tmp_path / "run"
    trained = []

    def once(folder: Path, *rest: object) -> object:
        if trained:
            raise TrainingInterruptedError("Training was stopped; go on with the one run.")
        trained.append(folder)
        return resume(folder, *rest)

    resume = several.resume
    with monkeypatch.context() as patched:
        patched.setattr(several, "resume", once)
        with pytest.raises(TrainingInterruptedError, match=f"--resume {run}$"):
            train_seeds(load_config("demo", settings), 2, run, quiet=True)
    assert [one["seed"] for one in json.loads((run / "seeds.json").read_text())["runs"]] == [4]

    done = nanoedge("train", "--resume", str(run), "--json")
    assert "seed 4, 1 of 2: finished before" in done.stderr
    document = json.loads(done.stdout)
    assert document == json.loads((run / "seeds.json").read_text())
    found = [load_checkpoint(Path(one["best"])).metrics for one in document["runs"]]
    assert [one["AP"] for one in document["runs"]] == [metrics["AP"] for metrics in found]
    assert document["AP50"]["mean"] == pytest.approx(mean(metrics["AP50"] for metrics in found), abs=1e-5)

    alone = tmp_path / "alone"
    train(load_config("demo", [*settings, "training.seed=5"]), alone, quiet=True)
    assert_same_run(alone, run / "seed-5")
    assert "mean" in nanoedge("train", "--resume", str(run)).stdout  # finished: said once more


def test_mean_and_sample_deviation_are_reported() -> None:
    runs = tuple(
        {"seed": seed, "best": f"b{seed}", "AP": value, "AP50": 0.5, "last_AP": value, "last_AP50": 0.5}
        for seed, value in enumerate((0.1, 0.2, 0.4))
    )
    result = SeedsResult(Path("run"), (0, 1, 2), runs)
    assert result.spread()["AP"] == {"mean": 0.23333, "std": round(stdev((0.1, 0.2, 0.4)), 5)}
    assert result.spread()["AP50"]["std"] == 0
    assert result.rows()[-2][:2] == ["mean", "0.2333"]
    assert result.best()["seed"] == 2


def test_old_runs_stay_when_the_new_ones_cannot_begin(tmp_path: Path, brief_settings: list[str]) -> None:
    run, broken = tmp_path / "run", tmp_path / "broken.ckpt"
    run.mkdir()
    (run / "config.yaml").write_text("of an old run")
    broken.write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError):
        train_seeds(load_config("demo", brief_settings), 2, run, broken, force=True, quiet=True)
    assert [path.name for path in run.iterdir()] == ["config.yaml"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".run")] == []


def test_bad_requests_are_refused(tmp_path: Path, nanoedge) -> None:
    assert "--seeds" in nanoedge("train", "demo", "--seeds", "1", expect=2).stderr
    (tmp_path / "seeds.json").write_text("{}")
    with pytest.raises(InputError, match="does not list the seeds"):
        resume_seeds(tmp_path)
