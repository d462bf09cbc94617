"""Several processes train one network: who they are, what each sees, and that they agree with a single one."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nanoedge.config.load import load_config
from nanoedge.config.schema import TrainingConfig
from nanoedge.data.batches import EpochSampler
from nanoedge.errors import InputError, PictureError
from nanoedge.training.checkpoints import read_tensor_file
from nanoedge.training.processes import Processes, error_of, find_processes
from nanoedge.training.train import train

TORCHRUN = {"WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4", "RANK": "5", "LOCAL_RANK": "1"}
SLURM = {"SLURM_NTASKS": "6", "SLURM_NNODES": "3", "SLURM_PROCID": "2", "SLURM_JOB_NAME": "train", "SLURM_LOCALID": "0"}
BATCH_OF_24 = TrainingConfig(batch_size=24)


# --- who they are --------------------------------------------------------------------------------------------------


def test_what_torchrun_started_counts_more_than_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    assert find_processes(BATCH_OF_24, TORCHRUN) == Processes(4, 2, 5, "torchrun")


def test_slurm_tasks_are_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    assert find_processes(BATCH_OF_24, SLURM) == Processes(2, 3, 2, "SLURM")
    with pytest.raises(InputError, match="do not spread evenly over 4 machines"):
        find_processes(BATCH_OF_24, {**SLURM, "SLURM_NNODES": "4"})


def test_an_interactive_slurm_shell_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SLURM, "SLURM_JOB_NAME": "bash"}.items():
        monkeypatch.setenv(name, value)
    assert find_processes(BATCH_OF_24, SLURM) == Processes(1, 1)


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(InputError, match="10 pictures cannot be shared by 4 processes; choose a multiple of 4"):
        find_processes(TrainingConfig(batch_size=10, devices=4), {})


def test_half_precision_on_a_cpu_is_refused() -> None:
    with pytest.raises(InputError, match="fp16 needs a GPU; a CPU trains in fp32 or bf16"):
        find_processes(TrainingConfig(precision="fp16", accelerator="cpu"), {})


def test_started_processes_must_agree_on_a_folder(monkeypatch: pytest.MonkeyPatch, small_settings: list[str]) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="torchrun must agree on the run's folder; name it with --out"):
        train(load_config("demo", small_settings))


def test_the_error_of_a_process_is_its_sentence() -> None:
    text = 'Traceback\n  File "x.py", line 3, in f\nnanoedge.errors.PictureError: a.jpg cannot be read. Look.\n'
    error = error_of(text)
    assert isinstance(error, PictureError) and str(error) == "a.jpg cannot be read. Look." and error.exit_code == 2
    assert "ValueError: no" in str(error_of("Traceback\nValueError: no"))


# --- what each sees ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_shares_of_a_batch_are_the_batch_that_one_process_sees(processes: int) -> None:
    def order(share: tuple[int, int], skip: int = 0) -> list[tuple[int, int, int, int]]:
        sampler = EpochSampler(20, 6, [(64, 64), (96, 96)], seed=1, share=share)
        sampler.set_epoch(2)
        sampler.skip(skip)
        assert len(sampler) == 18 // share[1]
        return list(sampler)

    mine = 6 // processes
    for skip in (0, 2):
        whole, shares = order((0, 1), skip), [order((rank, processes), skip) for rank in range(processes)]
        for batch in range(3 - skip):
            parts = [share[batch * mine : (batch + 1) * mine] for share in shares]
            assert [place for part in parts for place in part] == whole[batch * 6 : (batch + 1) * 6]


# --- that they agree -----------------------------------------------------------------------------------------------


@pytest.fixture
def settings(small_settings: list[str]) -> list[str]:
    more = ["training.epochs=2", "training.evaluate_every=1", "training.accelerator=cpu", "training.threads=1"]
    return [*small_settings, *more, "training.freeze_norms=true", "training.learning_rate=0.0003"]


def rows_of(run: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((run / "metrics.csv").open()))


def assert_same_curve(one: Path, other: Path) -> None:
    for first, second in zip(rows_of(one), rows_of(other), strict=True):
        assert first["step"] == second["step"]
        assert float(first["train_loss"]) == pytest.approx(float(second["train_loss"]), rel=1e-3)
        assert float(first["val_AP"]) == pytest.approx(float(second["val_AP"]), abs=5e-3)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path, settings: list[str]) -> None:
    train(load_config("demo", settings), tmp_path / "one", quiet=True)
    result = train(load_config("demo", [*settings, "training.devices=2"]), tmp_path / "two", quiet=True)
    assert result.epochs == 2 and result.last_metrics is not None
    assert_same_curve(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_accumulated_batches_make_a_step(tmp_path: Path, settings: list[str]) -> None:
    """At a rate that leaves the weights as they are, the same batches have the same losses, in half as many steps."""
    still = ["training.epochs=1", "training.learning_rate=1e-12", "training.final_learning_rate=1e-12"]
    halves = [*settings, *still, "training.batch_size=4"]
    train(load_config("demo", halves), tmp_path / "one", quiet=True)
    train(load_config("demo", [*halves, "training.accumulate=2"]), tmp_path / "two", quiet=True)
    (first,), (second,) = rows_of(tmp_path / "one"), rows_of(tmp_path / "two")
    assert (first["step"], second["step"]) == ("16", "8")
    assert float(first["train_loss"]) == pytest.approx(float(second["train_loss"]), rel=1e-4)


@pytest.mark.slow
def test_torchrun_starts_processes_and_the_first_speaks(tmp_path: Path, settings: list[str]) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    command += ["-m", "nanoedge", "train", "demo", *settings, "training.epochs=1", "--out", str(run)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("best AP") == 1 and done.stderr.count("epoch 1/1") == 1
    assert rows_of(run)[0]["step"] == "8"


@pytest.mark.slow
def test_ctrl_c_ends_two_processes_after_the_same_step_and_they_go_on(tmp_path: Path, settings: list[str]) -> None:
    run = tmp_path / "run"
    more = ["training.epochs=60", "training.evaluate_every=60", "training.devices=2", "training.batch_size=2"]
    command = [sys.executable, "-m", "nanoedge", "train", "demo", *settings, *more, "--out", str(run)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 300
        while len(rows_of(run) if (run / "metrics.csv").exists() else []) < 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        subprocess.run(["kill", f"-{signal.SIGINT.value}", "--", f"-{process.pid}"], check=True)
        _, errors = process.communicate(timeout=240)
    assert process.returncode == 130 and errors.count("--resume") == 1, errors
    document = read_tensor_file(run / "checkpoints" / "last.ckpt")
    assert document["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]["ready"] > 0
    epoch = document["nanoedge"]["epoch"]
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("epochs: 60", f"epochs: {epoch + 1}"))
    done = subprocess.run(
        [sys.executable, "-m", "nanoedge", "train", "--resume", str(run)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [row["epoch"] for row in rows_of(run)] == [str(number) for number in range(1, epoch + 2)]


@pytest.mark.slow
def test_a_picture_that_one_process_cannot_read_ends_all_with_one_sentence(
    tmp_path: Path, settings: list[str], shapes: Path
) -> None:
    copy = tmp_path / "shapes"
    subprocess.run(["cp", "-r", str(shapes), str(copy)], check=True)
    next(iter(sorted((copy / "images").rglob("*train*/*.jpg")))).write_bytes(b"no picture")
    command = [sys.executable, "-m", "nanoedge", "train", "demo", *settings, "training.devices=2"]
    command += [f"data.root={copy}", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.count("is no picture that can be read") == 1
