"""Receptive fields of a configuration's network or of a checkpoint's, as numbers and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanoedge.config.documents import shipped_configs
from nanoedge.config.load import load_config
from nanoedge.errors import InputError
from nanoedge.files import refuse_existing
from nanoedge.inspection.effective_field import EffectiveField, drawn_pictures, effective_fields, pictures_of
from nanoedge.inspection.receptive_field import ReceptiveField, has_global_gates, receptive_fields
from nanoedge.inspection.receptive_field_picture import draw_receptive_fields
from nanoedge.pictures import write_picture
from nanoedge.training.checkpoints import load_checkpoint

_CONFIG_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, eq=False)
class ReceptiveFieldReport:
    """What was found.

    Attributes:
        name: of the network, and of its input's size.
        input_size: width and height of the network's input.
        fields: theoretical.
        effective: measured, in the same order; none without trained weights.
        remarks: sentences that explain the numbers.
    """

    name: str
    input_size: tuple[int, int]
    fields: tuple[ReceptiveField, ...]
    effective: tuple[EffectiveField, ...]
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        rows = [field.as_json() for field in self.fields]
        for row, effective in zip(rows, self.effective, strict=False):
            row["effective"] = effective.pixels
        width, height = self.input_size
        return {"name": self.name, "input": {"width": width, "height": height}, "fields": rows}


def report_receptive_fields(
    name: str,
    overrides: Sequence[str] = (),
    out: Path | None = None,
    pictures: Path | None = None,
    count: int = 2,
    force: bool = False,
) -> ReceptiveFieldReport:
    """Find the receptive fields, and draw them if a file is given.

    Args:
        name: a shipped configuration's name, a YAML file, or one of our checkpoints; of the last the effective fields
            are measured as well.
        overrides: `key=value`, for a configuration only.
        out: picture to draw.
        pictures: folder whose first pictures a checkpoint is measured on; `None` takes drawn scenes.
        count: of those.
        force: replace a file that is there.

    Raises:
        InputError: for settings or pictures that make no sense here, a file that exists.
        ConfigError: when there is no such configuration, or a setting is wrong.
        CheckpointError: when the checkpoint cannot be read.
        NanoEdgeError: when the picture cannot be written.
    """
    if out is not None:
        refuse_existing(out, force)
    effective: list[EffectiveField] = []
    if _is_checkpoint(name):
        if overrides:
            raise InputError(f"A checkpoint's network is as it was trained: {overrides[0]!r} cannot be set.")
        checkpoint = load_checkpoint(name)
        config, classes = checkpoint.config, len(checkpoint.classes)
        probed = drawn_pictures(count) if pictures is None else pictures_of(pictures, count)
        effective = effective_fields(checkpoint.model(), config.model.strides, config.input, probed)
    else:
        if pictures is not None:
            raise InputError(f"--pictures is for checkpoints: {name} has no trained weights to measure.")
        config = load_config(name, overrides)
        classes = len(config.classes or ())
    fields = receptive_fields(config.model, classes)
    size = (config.input.width, config.input.height)
    remarks = [f"theoretical: side of the square that can matter; the input is {size[0]}x{size[1]}"]
    if effective:
        remarks.append("effective: side of the square that holds 95 % of the trained network's gradient")
    if has_global_gates(config.model):
        remarks.append("the backbone's squeeze-excite gates see the whole picture; the theoretical fields pass them by")
    if out is not None:
        write_picture(out, draw_receptive_fields(fields, effective, size, f"{config.name}: receptive fields"))
    return ReceptiveFieldReport(config.name, size, tuple(fields), tuple(effective), tuple(remarks))


def _is_checkpoint(name: str) -> bool:
    """A file that is no YAML; whatever does not exist is looked for among the configurations, which explains best."""
    path = Path(name)
    return name not in shipped_configs() and path.suffix.lower() not in _CONFIG_SUFFIXES and path.is_file()
