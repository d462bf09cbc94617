"""The automatic batch size."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from nanoedge.config.load import load_config
from nanoedge.errors import ConfigError, TrainingError
from nanoedge.training.memory import batch_size
from nanoedge.training.memory.batch_size import choose_batch_size
from nanoedge.training.processes import Processes
from nanoedge.training.train import train

CLASSES = ("a", "b")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, small_settings: list[str]):
    """A function that chooses for a small network, a free memory in bytes, and pictures of a mebibyte each."""

    def choose(free: int, pictures: int = 1000, processes: int = 1) -> int:
        peaks = iter([100 * 2**20, 106 * 2**20])  # of 2 and of 8 pictures
        monkeypatch.setattr(batch_size, "_peak_of_a_step", lambda *_: next(peaks))
        monkeypatch.setattr(batch_size, "free_memory", lambda: free)
        return choose_batch_size(load_config("demo", small_settings), CLASSES, pictures, Processes(processes, 1))[0]

    return choose


def test_a_batch_is_what_fits_in_seven_tenths_of_the_free_memory(small) -> None:
    assert small(100 * 2**20) == 64  # 70, rounded down to eights
    assert small(10 * 2**20) == 7


def test_a_batch_has_at_most_96_and_at_most_all_pictures(small) -> None:
    assert small(2**40) == 96
    assert small(2**40, pictures=13) == 8


def test_a_batch_can_be_shared_by_all_processes(small) -> None:
    assert small(100 * 2**20, processes=3) == 48
    assert small(10 * 2**20, processes=3) == 6


def test_no_memory_for_two_pictures_is_a_sentence(small) -> None:
    with pytest.raises(TrainingError, match="Not even two pictures fit in memory: one takes 1 MiB, 2 MiB are free"):
        small(2 * 2**20)


def test_a_number_or_auto(small_settings: list[str]) -> None:
    for wrong in ("0", "many", "2.5"):
        with pytest.raises(ConfigError, match="batch_size"):
            load_config("demo", [*small_settings, f"training.batch_size={wrong}"])


def test_a_run_keeps_the_number_that_was_chosen(tmp_path: Path, small_settings: list[str]) -> None:
    said: list[str] = []
    settings = [*small_settings, "training.batch_size=auto", "training.epochs=1"]
    train(load_config("demo", settings), tmp_path / "run", quiet=True, say=said.append)
    chosen = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["training"]["batch_size"]
    assert chosen == 64 and any(text.startswith("batch size 64: a picture takes") for text in said)
