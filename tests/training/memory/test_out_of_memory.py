"""When memory runs out a run goes on with half the batch, once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.config.schema import TrainingConfig
from nanoedge.errors import TrainingError
from nanoedge.training.memory.out_of_memory import halved, is_out_of_memory
from nanoedge.training.runs.state import adapt_state
from nanoedge.training.train import resume
from tests.training.conftest import assert_same_run, curve

LARGER_NETWORK = """
import resource, sys, torch
from nanoedge.cli.main import main
from nanoedge.training.module import DetectorModule
limit, epoch = int(sys.argv.pop(1)), int(sys.argv.pop(1))
step = DetectorModule.training_step
def larger(self, batch, number):  # a stand-in for a larger network: 800 MB more a picture, really asked for
    if self.current_epoch == epoch:
        if number == 0:
            pages = int(open("/proc/self/statm").read().split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + limit * 10**6, -1))
        torch.empty(len(batch.names) * 800_000_000, dtype=torch.uint8)
    return step(self, batch, number)
DetectorModule.training_step = larger
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the process's memory as Linux does")
def test_half_the_batch_is_added_up_twice_from_the_last_checkpoint_on(
    tmp_path: Path, whole_run: Path, brief_settings: list[str]
) -> None:
    """Batches of 4 want 3.2 GB and do not get them, those of 2 do; the first epoch's checkpoint is the whole run's."""
    run, again = tmp_path / "run", tmp_path / "again"
    errors = trained_with(2400, 1, brief_settings, run, expect=0)
    assert "out of memory with a batch of 4: going on" in errors
    assert load_config(str(run / "config.yaml")).training.batch_size == 2
    assert load_config(str(run / "config.yaml")).training.accumulate == 2
    rows = curve(run)
    assert [row[:2] for row in rows] == [row[:2] for row in curve(whole_run)]
    assert rows[0] == curve(whole_run)[0]
    shutil.copytree(run, again)
    shutil.copy(again / "checkpoints" / "epoch-2.ckpt", again / "checkpoints" / "last.ckpt")
    resume(again, quiet=True)
    assert_same_run(run, again)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the process's memory as Linux does")
def test_when_half_the_batch_is_too_large_as_well_the_setting_is_named(
    tmp_path: Path, brief_settings: list[str]
) -> None:
    errors = trained_with(1000, 0, brief_settings, tmp_path / "run", expect=1)
    last = errors.strip().splitlines()[-1]
    assert last.startswith("nanoedge: Memory does not suffice for training.batch_size=2 either")
    assert "smaller training.batch_size" in last
    assert "Traceback" not in errors


def trained_with(megabytes: int, epoch: int, settings: list[str], run: Path, expect: int) -> str:
    arguments = ["train", "demo", *settings, "--out", str(run)]
    command = [sys.executable, "-c", LARGER_NETWORK, str(megabytes), str(epoch), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == expect, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: you tried …"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory: you tried …"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.05 GB)"),
        MemoryError("Unable to allocate 3 GiB for an array"),
        TrainingError("A process of the training failed: torch.OutOfMemoryError: CUDA out of memory."),
    ],
)
def test_what_allocators_say_is_recognised(error: Exception) -> None:
    assert is_out_of_memory(error)


def test_it_is_recognised_behind_an_error_of_tidying_up() -> None:
    error = RuntimeError("Please call `iter(combined_loader)` first.")
    error.__context__ = torch.OutOfMemoryError("CUDA out of memory.")
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        TrainingError("A process of the training ended: signal SIGKILL. Out of memory?"),
    ],
)
def test_other_failures_are_not_taken_for_it(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_a_batch_is_halved_to_what_processes_can_share() -> None:
    training = TrainingConfig(batch_size=96, accumulate=2)

    def sizes(batch: int, processes: int = 1) -> tuple[object, int] | None:
        smaller = halved(training, batch, processes)
        return None if smaller is None else (smaller.batch_size, smaller.accumulate)

    assert sizes(96) == (48, 4)
    assert sizes(64) == (32, 4)
    assert sizes(5) == (2, 4)
    assert sizes(12, 4) == (4, 4)
    assert sizes(1) is None
    assert sizes(6, 4) is None


def test_the_place_in_an_interrupted_epoch_is_counted_in_smaller_batches() -> None:
    counts = {"ready": 6, "started": 6, "processed": 6, "completed": 5}
    progress = {"total": {**counts, "ready": 26}, "current": counts, "is_last_batch": False}
    document = {
        "nanoedge": {"config": {"training": {"batch_size": 8}}},
        "loops": {"fit_loop": {"epoch_loop.batch_progress": progress}},
    }
    adapt_state(document, Path("last.ckpt"), TrainingConfig(batch_size=4, accumulate=2))
    assert progress["current"] == {"ready": 12, "started": 12, "processed": 12, "completed": 12}
