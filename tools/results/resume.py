"""Kill −9 at random moments, then go on: python -m tools.results.resume (some minutes)."""

from __future__ import annotations

import csv
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from nanoedge.config.load import load_config
from nanoedge.data.synthetic import write_synthetic_set
from nanoedge.training import train as training
from nanoedge.training.checkpoints import read_tensor_file

from tools.results.figures import Figure, publish

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["nanoedge.training.train"])
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
    """One undisturbed run; 20 that are killed once each, between their folder's appearance and their end."""
    draw = random.Random(SEED)
    same = while_writing = before_an_epoch = 0
    with tempfile.TemporaryDirectory() as folder:
        data, whole = Path(folder) / "shapes", Path(folder) / "whole"
        write_synthetic_set(data, {"train": 64, "val": 16}, (160, 120), seed=3)
        settings = [f"data.root={data}", *SETTINGS]
        _finished(_start(train, whole, settings))
        for number in range(MOMENTS):
            stopped = Path(folder) / f"stopped-{number}"
            while not _killed(stopped, settings, draw.uniform(0, EPOCHS)):
                shutil.rmtree(stopped)  # it was faster than the kill
            while_writing += any(stopped.rglob("*.part"))
            before_an_epoch += not _curve(stopped)
            _finished(_start(go_on, stopped, settings))
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


def _killed(run: Path, settings: list[str], moment: float) -> bool:
    """Start a run and kill it after so many epochs; whether it was still at work.

    Moments are counted in epochs, because the time of one depends on what else the machine does: the rest after whole
    epochs is a share of the time that the epoch before took (before the first: that the start took).
    """
    process = _start(train, run, settings)
    epoch, rest = divmod(moment, 1)
    taken = _wait_for(lambda: run.exists(), process)
    for done in range(int(epoch)):
        taken = _wait_for(lambda least=done + 1: len(_curve(run)) >= least, process)
    time.sleep(rest * taken)
    process.kill()
    process.join()
    document = read_tensor_file(run / "checkpoints" / "last.ckpt")
    done = document["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"] if "loops" in document else 0
    return process.exitcode == -signal.SIGKILL and done < EPOCHS


def _start(what: Callable[[Path, list[str]], None], run: Path, settings: list[str]) -> BaseProcess:
    """A process of its own, forked from one that has imported PyTorch: 40 imports would take most of the time."""
    process = PROCESSES.Process(target=what, args=(run, settings))
    process.start()
    return process


def _finished(process: BaseProcess) -> None:
    process.join()
    if process.exitcode:
        sys.exit(f"a training ended with status {process.exitcode}")


def train(run: Path, settings: list[str]) -> None:
    """What `nanoedge train` does."""
    multiprocessing.set_start_method("fork", force=True)  # as in a process that a shell starts
    training.train(load_config("demo", settings), run, quiet=True)


def go_on(run: Path, settings: list[str]) -> None:
    """What `nanoedge train --resume` does."""
    multiprocessing.set_start_method("fork", force=True)
    training.resume(run, quiet=True)


def _wait_for(condition: Callable[[], bool], process: BaseProcess) -> float:
    """Wait until it holds or the process has ended; seconds waited."""
    begun = time.monotonic()
    while not condition() and process.is_alive():
        time.sleep(0.005)
    return time.monotonic() - begun


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
