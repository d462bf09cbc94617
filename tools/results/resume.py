"""Kill −9 at random moments, then go on: python -m tools.results.resume (half an hour on one core)."""

from __future__ import annotations

import csv
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from nanoedge.data.synthetic import write_synthetic_set
from nanoedge.training.checkpoints import read_tensor_file

from tools.results.figures import Figure, nanoedge, publish

MOMENTS = 20
SEED = 5
EPOCHS = 5
SETTINGS = [
    *("data.workers=1", "input.width=96", "input.height=64"),
    *("model.neck.channels=32", "model.head.channels=32", "model.agm.channels=32"),
    *("training.batch_size=8", "training.warmup_steps=4", f"training.epochs={EPOCHS}", "training.evaluate_every=2"),
    "training.threads=1",
]


def main() -> None:
    """One undisturbed run; 20 that are killed once each, between their folder's appearance and their last step."""
    draw = random.Random(SEED)
    same = while_writing = before_an_epoch = 0
    with tempfile.TemporaryDirectory() as folder:
        data, whole = Path(folder) / "shapes", Path(folder) / "whole"
        write_synthetic_set(data, {"train": 64, "val": 16}, (160, 120), seed=3)
        settings = [f"data.root={data}", *SETTINGS]
        seconds = _train_to(whole, settings)
        for number in range(MOMENTS):
            stopped = Path(folder) / f"stopped-{number}"
            while not _killed(stopped, settings, draw.uniform(0, seconds)):
                shutil.rmtree(stopped)  # it was faster than the kill
            while_writing += any(stopped.rglob("*.part"))
            before_an_epoch += not _curve(stopped)
            nanoedge("train", "--resume", stopped)
            equal = _curve(stopped) == _curve(whole) and _same_weights(stopped, whole)
            same += equal
            print(f"moment {number + 1}: {'same' if equal else 'OTHER'}", file=sys.stderr)
    what = "resumed after SIGKILL: the same losses and final weights"
    figures = [
        Figure(what, same, f"of {MOMENTS}", f"{MOMENTS} of {MOMENTS}", same == MOMENTS),
        Figure("of these killed before the end of the first epoch", before_an_epoch),
        Figure("of these killed while a file was being written", while_writing),
    ]
    method = f"{MOMENTS} random moments in runs of {EPOCHS} epochs of a small network; the same to the last bit"
    publish(figures, method)


def _train_to(run: Path, settings: list[str]) -> float:
    """Train undisturbed; seconds from the appearance of the run's folder to its end."""
    process = _start(run, settings)
    begun = _wait_for(run, process)
    if process.wait():
        sys.exit(f"the undisturbed run ended with status {process.returncode}")
    return time.monotonic() - begun


def _killed(run: Path, settings: list[str], after: float) -> bool:
    """Start a run and kill it some seconds after its folder appeared; whether it was still at work."""
    process = _start(run, settings)
    _wait_for(run, process)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    last = run / "checkpoints" / "last.ckpt"
    document = read_tensor_file(last)
    done = document["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"] if "loops" in document else 0
    return process.returncode == -signal.SIGKILL and done < EPOCHS


def _start(run: Path, settings: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "nanoedge", "train", "demo", *settings, "--out", str(run), "-q"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _wait_for(run: Path, process: subprocess.Popen[bytes]) -> float:
    while not run.exists():
        if process.poll() is not None:
            sys.exit(f"a run ended with status {process.returncode} before its folder was made")
        time.sleep(0.01)
    return time.monotonic()


def _curve(run: Path) -> list[tuple[str, ...]]:
    path = run / "metrics.csv"
    rows = csv.DictReader(path.open()) if path.exists() else []
    return [tuple(row[name] for name in ("epoch", "step", "learning_rate", "train_loss", "val_AP")) for row in rows]


def _same_weights(run: Path, other: Path) -> bool:
    one, two = (read_tensor_file(place / "checkpoints" / "last.ckpt") for place in (run, other))
    return all(
        one[part].keys() == two[part].keys()
        and all(torch.equal(tensor, two[part][name]) for name, tensor in one[part].items())
        for part in ("state_dict", "current_model_state")
    )


if __name__ == "__main__":
    main()
