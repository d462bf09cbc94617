"""The folder of a run: whole, or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.errors import InputError
from nanoedge.training.runs import folder as run_folder
from nanoedge.training.runs.folder import choose_place, make_run_folder, read_run_folder
from tests.training.conftest import killed

START = {"state_dict": {"weight": torch.zeros(1)}}
STUCK = """
import sys, time
from pathlib import Path
from nanoedge.config.load import load_config
from nanoedge.training.runs import folder as run_folder
run_folder.write_config = lambda folder, config: time.sleep(600)  # a stand-in for a slow disk
run_folder.make_run_folder(load_config("demo"), Path(sys.argv[1]), True, {})
"""


def made(place: Path, name: str = "demo") -> Path:
    config = load_config("demo", [f"name={name}"])
    return make_run_folder(config, choose_place(config, place, force=True), True, START).path


def test_a_run_is_whole_from_the_beginning(tmp_path: Path) -> None:
    run = made(tmp_path / "runs" / "run")
    assert sorted(path.name for path in run.rglob("*")) == ["checkpoints", "config.yaml", "last.ckpt"]
    assert [path.name for path in run.parent.iterdir()] == ["run"]


def test_a_kill_while_the_folder_is_made_leaves_the_old_run_and_the_next_start_tidies_up(tmp_path: Path) -> None:
    place = made(tmp_path / "run", "old")
    killed(["-c", STUCK, str(place)], lambda: any(tmp_path.glob(".run.*.part/checkpoints/last.ckpt")))
    assert read_run_folder(place)[1].name == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_old_run_comes_back_when_the_kill_was_between_the_two_renames(tmp_path: Path) -> None:
    place = made(tmp_path / "run", "old")
    os.rename(place, tmp_path / ".run.999999999-abcd_123.old")
    (tmp_path / ".run.999999999-abcd_123.part").mkdir()
    (tmp_path / ".run.2.999999999-abcd_123.old").mkdir()  # of another place, `run.2`
    assert read_run_folder(place)[1].name == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run.2.999999999-abcd_123.old", "run"]


def test_what_a_living_process_is_making_stays(tmp_path: Path) -> None:
    place = made(tmp_path / "run")
    other = tmp_path / f".run.{os.getppid()}-abcd_123.part"
    other.mkdir()
    read_run_folder(place)
    assert other.is_dir()


def test_the_old_run_stays_when_the_new_one_cannot_be_written(tmp_path: Path, monkeypatch) -> None:
    place = made(tmp_path / "run", "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder, "write_config", full)
    with pytest.raises(Exception, match="No space left"):
        made(place, "new")
    assert read_run_folder(place)[1].name == "old"


def test_an_empty_folder_such_as_a_mount_is_filled_and_half_a_run_in_it_is_no_obstacle(tmp_path: Path) -> None:
    place = tmp_path / "mounted"
    (place / "checkpoints").mkdir(parents=True)
    number = place.stat().st_ino
    (place / "checkpoints" / "last.ckpt").write_bytes(b"of a run that was killed before it had a configuration")
    (place / ".config.yaml.123-0a1b2c3d.part").write_bytes(b"half")
    config = load_config("demo")
    make_run_folder(config, choose_place(config, place, force=False), False, START)
    assert place.stat().st_ino == number
    assert read_run_folder(place)[1] == config


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "precious.ckpt").write_bytes(b"x")
    config = load_config("demo")
    with pytest.raises(InputError, match="exists already"):
        choose_place(config, tmp_path, force=False)
    with pytest.raises(InputError, match="not the folder of a training run"):
        choose_place(config, tmp_path, force=True)
