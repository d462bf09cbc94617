"""The folder of a run: where what lies, making one, reading one again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.errors import ConfigError, InputError
from nanoedge.files import folder_in_the_making, is_leftover, remove_leftovers, restore_place, write_atomically
from nanoedge.training.checkpoints import save_atomically

CONFIG_NAME = "config.yaml"
_RESUMABLE = ("data.", "training.accelerator", "training.devices", "training.threads", "distillation.teacher=")


@dataclass(frozen=True)
class RunFolder:
    """The places in a run's folder."""

    path: Path

    @property
    def config(self) -> Path:
        """The complete configuration."""
        return self.path / CONFIG_NAME

    @property
    def metrics(self) -> Path:
        """One row an epoch."""
        return self.path / "metrics.csv"

    @property
    def report(self) -> Path:
        """The page that is made at the end."""
        return self.path / "report.html"

    @property
    def starts(self) -> Path:
        """Command line, versions and machine of each start."""
        return self.path / "starts.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of all checkpoints."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """The weights with the best AP on the validation pictures."""
        return self.checkpoints / "best.ckpt"

    @property
    def last(self) -> Path:
        """The state that `--resume` goes on from."""
        return self.checkpoints / "last.ckpt"

    @property
    def failed(self) -> Path:
        """The state before a step that could not be calculated."""
        return self.checkpoints / "failed.ckpt"

    @property
    def failure(self) -> Path:
        """What is known of such a step."""
        return self.path / "failed.json"

    def kept(self, epoch: int) -> Path:
        """The state after an epoch, counted from 1, that is kept."""
        return self.checkpoints / f"epoch-{epoch}.ckpt"


def choose_place(config: Config, run: Path | None, force: bool) -> Path:
    """Where a new run's folder will be; nothing is made or removed yet.

    Args:
        config: the run.
        run: the folder; `None` takes `runs/NAME`, or `runs/NAME-2` and so on when that is there.
        force: an old run's folder there will be replaced.

    Raises:
        InputError: when the folder exists and is not to be replaced.
    """
    if run is None:
        names = itertools.chain([config.name], (f"{config.name}-{number}" for number in itertools.count(2)))
        return next(place for place in (Path("runs") / name for name in names) if _is_free(place))
    restore_place(run)
    if _is_taken(run):
        if not force:
            raise InputError(
                f"{run} exists already. Choose another --out, go on with --resume {run}, or replace it with --force."
            )
        if not RunFolder(run).config.is_file():
            raise InputError(f"{run} is not the folder of a training run (no config.yaml); it is not replaced.")
    return run


def make_run_folder(config: Config, place: Path, force: bool, start: Mapping[str, Any]) -> RunFolder:
    """A new folder that holds the configuration and, as `last.ckpt`, the state before the first step.

    It is made aside and put in place when it is whole: whenever the process is killed there is the old folder, nothing,
    or a run that can be resumed.

    Args:
        config: the run; its recipe is chosen.
        place: from `choose_place`.
        force: replace an old run.
        start: the first checkpoint.

    Raises:
        NanoEdgeError: when it cannot be made; an old run is still there then.
    """
    with new_folder(place, force) as making:
        fill_run_folder(RunFolder(making), config, start)
    return RunFolder(place)


@contextmanager
def new_folder(place: Path, force: bool) -> Iterator[Path]:
    """A folder that is filled aside and then takes `place`; an empty one that is there (a mount) is filled itself."""
    if place.is_dir() and not _is_taken(place):
        yield place
        return
    with folder_in_the_making(place, force, CONFIG_NAME, "the folder of a training run") as making:
        yield making


def fill_run_folder(folder: RunFolder, config: Config, start: Mapping[str, Any]) -> None:
    """Write a run's first files; the configuration, which makes the folder a run, is the last."""
    save_atomically(start, folder.last)
    write_config(folder, config)


def write_config(folder: RunFolder, config: Config) -> None:
    """Write the complete configuration."""
    write_atomically(folder.config, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False).encode())


def _is_free(place: Path) -> bool:
    restore_place(place)
    return not place.exists()


def _is_taken(place: Path) -> bool:
    """Whether there is something to lose; what a kill left of a run that had no configuration yet is nothing."""
    if not place.is_dir():
        return place.exists()
    files = (path for path in place.rglob("*") if not path.is_dir() and not is_leftover(path))
    return any(path != RunFolder(place).last for path in files)


def read_run_folder(run: Path, overrides: Sequence[str] = ()) -> tuple[RunFolder, Config]:
    """The folder of a run that is to go on, and its configuration.

    Args:
        run: the run's folder.
        overrides: `key=value` for the few settings that may change: where the data lie, workers, devices, threads.

    Raises:
        InputError: when the folder is no run or has lost its state. A run that never wrote one is fine.
        ConfigError: for a setting that cannot change.
    """
    restore_place(run)
    folder = RunFolder(run)
    if not folder.config.is_file():
        raise InputError(f"{run} is not the folder of a training run: it has no config.yaml.")
    for override in overrides:
        if not override.startswith(_RESUMABLE):
            raise ConfigError(
                f"{override!r} cannot be changed when a run is resumed; only data.*, training.accelerator, "
                "training.devices, training.threads and distillation.teacher (the place of the same file) can. Start a "
                "new run with --weights instead."
            )
    config = load_config(str(folder.config), overrides)
    if not folder.last.is_file() and (folder.best.is_file() or folder.metrics.is_file()):
        raise InputError(f"{run} has no checkpoints/last.ckpt to resume from; start again with --force.")
    return folder, config


def tidy_run_folder(folder: RunFolder) -> None:
    """Delete files that a killed process had begun to write; only the first of several processes may."""
    for place in (folder.path, folder.checkpoints):
        if place.is_dir():
            remove_leftovers(place)
