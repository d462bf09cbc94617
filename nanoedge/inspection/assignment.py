"""Which priors learn which object: the AGM's assignment beside the one that the head would make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from nanoedge.assigners import GroundTruth
from nanoedge.config.schema import Config
from nanoedge.data.preview import prepared_for_evaluation
from nanoedge.inspection.chosen_pictures import ChosenPicture
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.models.priors import decode_boxes, make_priors
from nanoedge.pictures import Picture
from nanoedge.runtime.preprocess import to_tensor
from nanoedge.training.checkpoints import Checkpoint
from nanoedge.training.targets import assign_picture

Guide = Literal["head", "agm"]
"""Whose predictions assign."""


@dataclass(frozen=True)
class Positive:
    """A prior that learns an object.

    Attributes:
        prior: its index among all priors of the picture.
        stride: of its level.
        x: its place, pixels of the network's input.
        y: likewise.
        quality: the soft label, 0..1: IoU of the box that the guide predicts there with the object.
    """

    prior: int
    stride: int
    x: float
    y: float
    quality: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "stride": self.stride,
            "x": self.x,
            "y": self.y,
            "quality": round(self.quality, 4),
            "prior": self.prior,
        }


@dataclass(frozen=True)
class AssignedObject:
    """One object and the priors that learn it.

    Attributes:
        label: class name.
        class_id: its index.
        box_xyxy: pixels of the network's input.
        positives: for each guide that there is, its priors, finest level first.
    """

    label: str
    class_id: int
    box_xyxy: tuple[float, float, float, float]
    positives: dict[Guide, tuple[Positive, ...]]


@dataclass(frozen=True, eq=False)
class PictureAssignment:
    """The assignment of one picture.

    Attributes:
        name: of the picture's file.
        split: train or val.
        image_id: the annotations' id.
        picture: uint8 [H, W, 3], BGR, as the network gets it.
        ignore_xyxy: float32 [R, 4], regions in which nothing is background.
        strides: of the levels.
        guides: `head`, and `agm` where the network has one.
        objects: in the annotations' order.
    """

    name: str
    split: str
    image_id: int
    picture: Picture
    ignore_xyxy: npt.NDArray[np.float32]
    strides: tuple[int, ...]
    guides: tuple[Guide, ...]
    objects: tuple[AssignedObject, ...]

    def positives(self, guide: Guide, stride: int | None = None) -> list[Positive]:
        """All positives of a guide, of one level or of all."""
        found = [positive for each in self.objects for positive in each.positives[guide]]
        return [positive for positive in found if stride in (None, positive.stride)]

    @property
    def agreement(self) -> float | None:
        """Share of (prior, object) pairs that both guides chose among those that either chose; `None` without AGM."""
        return agreement(self.objects) if len(self.guides) == 2 else None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        document: dict[str, Any] = {
            "picture": self.name,
            "split": self.split,
            "image_id": self.image_id,
            "input": {"width": self.picture.shape[1], "height": self.picture.shape[0]},
            "agreement": _rounded(self.agreement),
        }
        for guide in self.guides:
            document[guide] = {
                "positives": len(self.positives(guide)),
                "mean_quality": _rounded(mean_quality(self.positives(guide))),
                "per_stride": {
                    str(stride): {
                        "positives": len(self.positives(guide, stride)),
                        "mean_quality": _rounded(mean_quality(self.positives(guide, stride))),
                    }
                    for stride in self.strides
                },
            }
        document["objects"] = [
            {
                "label": each.label,
                "class_id": each.class_id,
                "box": [round(value, 2) for value in each.box_xyxy],
                **{guide: [positive.as_json() for positive in each.positives[guide]] for guide in self.guides},
                "agreement": _rounded(agreement([each])) if len(self.guides) == 2 else None,
            }
            for each in self.objects
        ]
        return document


def mean_quality(positives: Sequence[Positive]) -> float | None:
    """Mean soft label; `None` without positives."""
    return sum(positive.quality for positive in positives) / len(positives) if positives else None


def agreement(objects: Sequence[AssignedObject]) -> float | None:
    """Pairs of prior and object that head and AGM both chose, over those that either chose; `None` without any."""
    head, agm = (
        {(number, positive.prior) for number, each in enumerate(objects) for positive in each.positives[guide]}
        for guide in ("head", "agm")
    )
    return len(head & agm) / len(head | agm) if head | agm else None


def deciding_guide(config: Config, epoch: int) -> Guide:
    """Whose assignment training uses in the epoch after `epoch` trained ones (where there is an AGM)."""
    return "agm" if config.assigner.predictions == "agm" or epoch < config.model.agm.detach_epoch else "head"


def inspect_assignment(
    checkpoint: Checkpoint, config: Config, pictures: Sequence[ChosenPicture]
) -> list[PictureAssignment]:
    """Assign the pictures' objects with a checkpoint's averaged weights, in evaluation mode, without augmentation.

    Args:
        checkpoint: the network.
        config: its configuration; the input's size and the assigner's settings may differ from the checkpoint's own.
        pictures: what to look at.

    Raises:
        CheckpointError: when the weights do not fit the checkpoint's configuration.
        NanoEdgeError: when a picture cannot be read.
    """
    model = checkpoint.model()
    return [assign_chosen(model, config, checkpoint.classes, chosen) for chosen in pictures]


@torch.inference_mode()
def assign_chosen(
    model: NanoDetPlus, config: Config, classes: tuple[str, ...], chosen: ChosenPicture
) -> PictureAssignment:
    """One picture's assignment by the head and, if the network has one, by the AGM.

    Args:
        model: in evaluation mode.
        config: its configuration.
        classes: class names.
        chosen: the picture.
    """
    pixels = chosen.read()
    seen = prepared_for_evaluation(pixels, chosen.sample, config, classes)
    tensor, _ = to_tensor(pixels, config.input)
    output = model.forward_training(torch.from_numpy(tensor), detach_agm=False)
    predictions: dict[Guide, torch.Tensor] = {"head": output.head[0]}
    if output.agm is not None:
        predictions["agm"] = output.agm[0]
    priors = make_priors(config.input.width, config.input.height, config.model.strides)
    truth = GroundTruth(
        torch.from_numpy(seen.truth.boxes_xyxy),
        torch.from_numpy(seen.truth.class_ids),
        torch.from_numpy(seen.ignore_xyxy),
    )
    learned = {guide: _positives(raw, priors, truth, config, len(classes)) for guide, raw in predictions.items()}
    return PictureAssignment(
        name=chosen.sample.path.name,
        split=chosen.split,
        image_id=chosen.sample.image_id,
        picture=seen.picture,
        ignore_xyxy=seen.ignore_xyxy,
        strides=config.model.strides,
        guides=tuple(predictions),
        objects=tuple(
            AssignedObject(label, int(class_id), box, {guide: of[number] for guide, of in learned.items()})
            for number, ((label, _, box), class_id) in enumerate(zip(seen.truth, seen.truth.class_ids, strict=True))
        ),
    )


def _positives(
    raw: torch.Tensor, priors: torch.Tensor, truth: GroundTruth, config: Config, classes: int
) -> list[tuple[Positive, ...]]:
    """Raw predictions [P, classes + 4 * (reg_max + 1)] to the positives of each object."""
    found = assign_picture(raw[:, :classes], decode_boxes(raw[:, classes:], priors), priors, truth, config.assigner)
    learned: list[list[Positive]] = [[] for _ in truth.class_ids]
    for prior, number, quality in zip(
        found.positives.tolist(), found.objects.tolist(), found.qualities.tolist(), strict=True
    ):
        x, y, stride = priors[prior].tolist()
        learned[number].append(Positive(prior, int(stride), x, y, quality))
    return [tuple(positives) for positives in learned]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
