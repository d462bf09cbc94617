"""The same run with several seeds: how good the recipe is, and how much of that is luck."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from nanoedge.config.schema import Config
from nanoedge.errors import InputError, TrainingInterruptedError
from nanoedge.files import write_atomically
from nanoedge.training.checkpoints import load_checkpoint, read_tensor_file
from nanoedge.training.preparation import Say, prepare, start_of
from nanoedge.training.runs.folder import RunFolder, choose_place, fill_run_folder, new_folder, write_config
from nanoedge.training.runs.state import how_it_ended
from nanoedge.training.train import resume

_SUMMARY = "seeds.json"
_METRICS = ("AP", "AP50", "last_AP", "last_AP50")


@dataclass(frozen=True)
class SeedsResult:
    """What several runs reached, averaged weights on the validation pictures.

    Attributes:
        run: the folder that holds the runs.
        seeds: all seeds.
        runs: of each finished run `seed`, `run`, `best` (paths), `AP` and `AP50` of `best.ckpt`, `last_AP` and
            `last_AP50` of `last.ckpt`.
    """

    run: Path
    seeds: tuple[int, ...]
    runs: tuple[dict[str, Any], ...]

    def spread(self) -> dict[str, dict[str, float]]:
        """Of each metric the mean and the sample standard deviation over the runs; empty with fewer than two."""
        if len(self.runs) < 2:
            return {}
        measured = {name: [run[name] for run in self.runs] for name in _METRICS}
        return {
            name: {"mean": round(mean(values), 5), "std": round(stdev(values), 5)} for name, values in measured.items()
        }

    def as_json(self) -> dict[str, Any]:
        """Plain values; also the content of `seeds.json`."""
        return {"run": str(self.run), "seeds": list(self.seeds), "runs": list(self.runs), **self.spread()}

    def rows(self) -> list[list[str]]:
        """A table with a heading: each run, then mean and spread."""
        rows = [["seed", *(name.replace("_", " ") for name in _METRICS)]]
        rows += [[str(run["seed"]), *(f"{run[name]:.4f}" for name in _METRICS)] for run in self.runs]
        for what in ("mean", "std"):
            rows.append([what, *(f"{self.spread()[name][what]:.4f}" for name in _METRICS)])
        return rows

    def best(self) -> dict[str, Any]:
        """The run with the best AP."""
        return max(self.runs, key=lambda run: float(run["AP"]))


def train_seeds(
    config: Config,
    count: int,
    run: Path | None = None,
    weights: Path | None = None,
    force: bool = False,
    quiet: bool = False,
    say: Say = lambda text: None,
) -> SeedsResult:
    """Train with the configuration's seed and those that follow it, one after the other.

    All runs are made before the first is trained, in a folder that is put in place when it is whole.

    Args:
        config: the run.
        count: number of seeds, at least 2.
        run: folder of the runs, which are `seed-N` in it; `None` makes `runs/NAME`.
        weights: file whose fitting tensors every run starts with, as of `train`.
        force: replace an old run.
        quiet: no progress display.
        say: receives sentences for the user.

    Raises:
        NanoEdgeError: as `train` does.
    """
    if count < 2:
        raise InputError("--seeds trains with at least 2 seeds; one run needs no --seeds.")
    ready = prepare(config, run, weights, say)
    if ready.processes.starter is not None:
        raise InputError(f"--seeds cannot be started by {ready.processes.starter}; start a run for each training.seed.")
    config = ready.config
    place = choose_place(config, run, force)
    first = config.training.seed
    seeds = tuple(range(first, first + count))
    with new_folder(place, force) as making:
        for seed in seeds:
            one = config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})
            told = say if seed == first else _silent
            fill_run_folder(RunFolder(making / _name(seed)), one, start_of(ready, one, told))
        _write_summary(making, SeedsResult(place, seeds, ()))
        write_config(RunFolder(making), config)
    return _train_all(place, seeds, (), quiet, say)


def resume_seeds(
    run: Path, overrides: Sequence[str] = (), quiet: bool = False, say: Say = lambda text: None
) -> SeedsResult:
    """Finish the runs that are not finished.

    Args:
        run: the folder that holds the runs.
        overrides: as of `resume`.
        quiet: no progress display.
        say: receives sentences for the user.

    Raises:
        NanoEdgeError: as `resume` does.
    """
    try:
        seeds = tuple(int(seed) for seed in json.loads((run / _SUMMARY).read_text())["seeds"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{run / _SUMMARY} does not list the seeds of the runs: it was changed.") from error
    return _train_all(run, seeds, overrides, quiet, say)


def holds_seeds(run: Path) -> bool:
    """Whether a folder is that of several runs."""
    return (run / _SUMMARY).is_file()


def _train_all(run: Path, seeds: tuple[int, ...], overrides: Sequence[str], quiet: bool, say: Say) -> SeedsResult:
    runs: list[dict[str, Any]] = []
    for number, seed in enumerate(seeds, start=1):
        folder = RunFolder(run / _name(seed))
        say(f"seed {seed}, {number} of {len(seeds)}" + (": finished before" if _finished(folder) else ""))
        if not _finished(folder):
            try:
                resume(folder.path, overrides, quiet, say)
            except TrainingInterruptedError as error:
                raise TrainingInterruptedError(
                    f"Training was stopped; the state is saved. Go on with: nanoedge train --resume {run}"
                ) from error
        runs.append(_measured(folder, seed))
        result = SeedsResult(run, seeds, tuple(runs))
        _write_summary(run, result)
    return result


def _finished(folder: RunFolder) -> bool:
    if not folder.last.is_file():
        return False
    last = load_checkpoint(folder.last)
    return how_it_ended(read_tensor_file(folder.last), last.config) is not None


def _measured(folder: RunFolder, seed: int) -> dict[str, Any]:
    best, last = load_checkpoint(folder.best).metrics or {}, load_checkpoint(folder.last).metrics or {}
    return {
        "seed": seed,
        "run": str(folder.path),
        "best": str(folder.best),
        "AP": best["AP"],
        "AP50": best["AP50"],
        "last_AP": last["AP"],
        "last_AP50": last["AP50"],
    }


def _name(seed: int) -> str:
    return f"seed-{seed}"


def _write_summary(place: Path, result: SeedsResult) -> None:
    write_atomically(place / _SUMMARY, (json.dumps(result.as_json(), indent=2) + "\n").encode())


def _silent(text: str) -> None:
    """What is the same for every seed is said once."""
