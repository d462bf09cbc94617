"""The folder of a run: where what lies, making one, reading one again."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.errors import ConfigError, InputError, NanoEdgeError
from nanoedge.files import write_atomically

_RESUMABLE = ("data.", "training.accelerator", "training.devices", "training.threads")


@dataclass(frozen=True)
class RunFolder:
    """The places in a run's folder."""

    path: Path

    @property
    def config(self) -> Path:
        """The complete configuration."""
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        """One row an epoch."""
        return self.path / "metrics.csv"

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


def make_run_folder(config: Config, run: Path | None, force: bool) -> RunFolder:
    """A new folder that holds its configuration.

    Args:
        config: the run; its recipe is chosen.
        run: folder to make; `None` makes `runs/NAME`, or `runs/NAME-2` and so on when that is there.
        force: replace the folder when it exists.

    Raises:
        InputError: when the folder exists and is not to be replaced.
        NanoEdgeError: when it cannot be made.
    """
    if run is None:
        names = itertools.chain([config.name], (f"{config.name}-{number}" for number in itertools.count(2)))
        run = next(path for path in (Path("runs") / name for name in names) if not path.exists())
    folder = RunFolder(run)
    if run.exists() and any(run.iterdir() if run.is_dir() else [run]):
        if not force:
            raise InputError(
                f"{run} exists already. Choose another --out, go on with --resume {run}, or replace it with --force."
            )
        if not folder.config.is_file():
            raise InputError(f"{run} is not the folder of a training run (no config.yaml); it is not replaced.")
        shutil.rmtree(run)
    try:
        folder.checkpoints.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NanoEdgeError(f"The run's folder {run} cannot be made: {error.strerror or error}.") from error
    write_atomically(folder.config, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False).encode())
    return folder


def read_run_folder(run: Path, overrides: Sequence[str] = ()) -> tuple[RunFolder, Config]:
    """The folder of a run that is to go on, and its configuration.

    Args:
        run: the run's folder.
        overrides: `key=value` for the few settings that may change: where the data lie, workers, devices, threads.

    Raises:
        InputError: when the folder is no run or has nothing to resume.
        ConfigError: for a setting that cannot change.
    """
    folder = RunFolder(run)
    if not folder.config.is_file():
        raise InputError(f"{run} is not the folder of a training run: it has no config.yaml.")
    for override in overrides:
        if not override.startswith(_RESUMABLE):
            raise ConfigError(
                f"{override!r} cannot be changed when a run is resumed; only data.*, training.accelerator, "
                "training.devices and training.threads can. Start a new run with --weights instead."
            )
    config = load_config(str(folder.config), overrides)
    if not folder.last.is_file():
        raise InputError(f"{run} has no checkpoints/last.ckpt to resume from; start again with --force.")
    return folder, config
