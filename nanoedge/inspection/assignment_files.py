"""From a checkpoint to drawn assignments: one picture file for each picture that is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanoedge.config.load import config_with
from nanoedge.config.schema import Config
from nanoedge.errors import ConfigError, InputError
from nanoedge.files import make_folder, refuse_existing
from nanoedge.inspection.assignment import PictureAssignment, deciding_guide, inspect_assignment
from nanoedge.inspection.assignment_picture import TITLES, draw_assignment
from nanoedge.inspection.chosen_pictures import ChosenPicture, choose_pictures
from nanoedge.pictures import PICTURE_SUFFIXES, write_picture
from nanoedge.training.checkpoints import Checkpoint, load_checkpoint

PICTURES = 3
"""Drawn into a folder when nothing is said."""

_CHANGEABLE = ("data.", "input.", "assigner.")


@dataclass(frozen=True, eq=False)
class DrawnAssignments:
    """What was drawn.

    Attributes:
        checkpoint: the file.
        epoch: epochs trained; 0 for imported weights.
        has_agm: whether the checkpoint has the AGM.
        stage: a sentence for people: where in its training the network is and who assigns.
        drawn: each assignment with the file that it was drawn into.
    """

    checkpoint: Path
    epoch: int
    has_agm: bool
    stage: str
    drawn: tuple[tuple[PictureAssignment, Path], ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        pictures = [{"out": str(out), **assignment.as_json()} for assignment, out in self.drawn]
        return {"checkpoint": str(self.checkpoint), "epoch": self.epoch, "agm": self.has_agm, "pictures": pictures}


def draw_assignments(
    checkpoint: Path,
    overrides: Sequence[str] = (),
    names: Sequence[str] = (),
    split: str | None = None,
    count: int | None = None,
    out: Path = Path("assignment"),
    force: bool = False,
) -> DrawnAssignments:
    """Draw which priors learn which object, into a file or a folder.

    Args:
        checkpoint: one of ours, of any epoch.
        overrides: `key=value` for what may differ from the run: where the data lie, the input's size, the assigner.
        names: pictures, as of `choose_pictures`; none takes the first ones with objects.
        split: as of `choose_pictures`.
        count: how many, when none is named; by default `PICTURES` in a folder and one in a file.
        out: a file with a picture's suffix takes one picture; anything else is a folder.
        force: replace files that are there.

    Raises:
        InputError: for several pictures and one file, a name that is not found, files that exist.
        ConfigError: for a setting that cannot be changed.
        CheckpointError: when the checkpoint cannot be read.
        NanoEdgeError: when a file cannot be written.
    """
    to_file = out.suffix.lower() in PICTURE_SUFFIXES
    wanted = len(names) or count or (1 if to_file else PICTURES)
    if to_file and wanted > 1:
        raise InputError(f"{out} takes one picture, not {wanted}; give a folder: --out {out.stem}.")
    if to_file:
        refuse_existing(out, force)
    elif out.is_file():
        raise InputError(f"{out} is a file, not a folder; end it with .png or .jpg to draw one picture into it.")
    loaded = load_checkpoint(checkpoint)
    config = _config_of(loaded, overrides)
    chosen = choose_pictures(config, loaded.classes, names, split, wanted)
    places = [out] if to_file else [out / name for name in _file_names(chosen)]
    for place in places:
        refuse_existing(place, force)
    stage = _stage(loaded, config)
    assignments = inspect_assignment(loaded, config, chosen)
    make_folder(out.parent if to_file else out)
    for assignment, place in zip(assignments, places, strict=True):
        title = f"{assignment.name} ({assignment.split}), {loaded.path.name}: {stage}"
        write_picture(place, draw_assignment(assignment, title))
    drawn = tuple(zip(assignments, places, strict=True))
    return DrawnAssignments(loaded.path, loaded.epoch, config.model.agm.enabled, stage, drawn)


def _config_of(checkpoint: Checkpoint, overrides: Sequence[str]) -> Config:
    for override in overrides:
        if not override.startswith(_CHANGEABLE):
            raise ConfigError(
                f"{override!r} cannot be changed: the checkpoint is as it was trained. Only data.*, input.* and "
                "assigner.* can."
            )
    return config_with(checkpoint.config, overrides, f"the configuration in {checkpoint.path}")


def _stage(checkpoint: Checkpoint, config: Config) -> str:
    when = f"after epoch {checkpoint.epoch} of {config.training.epochs}" if checkpoint.epoch else "not trained here"
    if not config.model.agm.enabled:
        return f"{when}; without AGM: the head alone"
    return f"{when}; in training the {TITLES[deciding_guide(config, checkpoint.epoch)]} assigns"


def _file_names(chosen: Sequence[ChosenPicture]) -> list[str]:
    """One name each: split and stem, with the id where that is not enough."""
    short = [f"{each.split}-{each.sample.path.stem}" for each in chosen]
    return [
        f"{name}.png" if short.count(name) == 1 else f"{name}-{each.sample.image_id}.png"
        for name, each in zip(short, chosen, strict=True)
    ]
