"""What is shown is what training would do: the same assigner on the same outputs, of the AGM and of the head."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from nanoedge.assigners import GroundTruth
from nanoedge.config.load import config_with, load_config
from nanoedge.config.schema import Config
from nanoedge.data.index import Sample
from nanoedge.inspection.assignment import (
    AssignedObject,
    PictureAssignment,
    Positive,
    agreement,
    assign_chosen,
    deciding_guide,
    inspect_assignment,
)
from nanoedge.inspection.chosen_pictures import ChosenPicture, choose_pictures
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.models.priors import decode_boxes, make_priors
from nanoedge.pictures import read_picture
from nanoedge.runtime.preprocess import to_tensor
from nanoedge.training.checkpoints import Checkpoint, load_checkpoint
from nanoedge.training.targets import assign_batch
from tests.data.folders import picture


@pytest.fixture(scope="module")
def checkpoint(small_run: Path) -> Checkpoint:
    return load_checkpoint(small_run / "checkpoints" / "last.ckpt")


@pytest.fixture(scope="module")
def assignments(checkpoint: Checkpoint) -> list[PictureAssignment]:
    chosen = choose_pictures(checkpoint.config, checkpoint.classes, [], None, 4)
    return inspect_assignment(checkpoint, checkpoint.config, chosen)


def test_both_guides_positives_are_those_of_training(
    checkpoint: Checkpoint, assignments: list[PictureAssignment]
) -> None:
    config, classes = checkpoint.config, len(checkpoint.classes)
    model = checkpoint.model()
    priors = make_priors(config.input.width, config.input.height, config.model.strides)
    chosen = choose_pictures(config, checkpoint.classes, [], None, 4)
    for each, shown in zip(chosen, assignments, strict=True):
        tensor, _ = to_tensor(read_picture(each.sample.path), config.input)
        with torch.no_grad():
            output = model.forward_training(torch.from_numpy(tensor), detach_agm=True)
        boxes = torch.tensor([obj.box_xyxy for obj in shown.objects])
        truth = GroundTruth(boxes, torch.from_numpy(each.sample.class_ids), torch.zeros(0, 4))
        for guide, raw in (("head", output.head), ("agm", output.agm)):
            decoded = decode_boxes(raw[..., classes:], priors)
            targets = assign_batch(raw[..., :classes], decoded, priors, [truth], config.assigner)
            positives = sorted(shown.positives(guide), key=lambda positive: positive.prior)
            assert [positive.prior for positive in positives] == targets.positives.tolist()
            np.testing.assert_allclose([positive.quality for positive in positives], targets.qualities, atol=1e-5)
            np.testing.assert_allclose(
                [[positive.x, positive.y, positive.stride] for positive in positives], priors[targets.positives]
            )
    assert sum(len(shown.positives("agm")) for shown in assignments) > 10


def test_every_positive_lies_where_it_should(assignments: list[PictureAssignment]) -> None:
    for shown in assignments:
        for guide in ("head", "agm"):
            everyone = [positive.prior for positive in shown.positives(guide)]
            assert len(set(everyone)) == len(everyone)
            by_stride = [positive for stride in shown.strides for positive in shown.positives(guide, stride)]
            assert len(by_stride) == len(everyone)
            for positive in by_stride:
                assert positive.x % positive.stride == 0 and positive.y % positive.stride == 0
                assert 0 <= positive.quality <= 1


def chosen_picture(boxes: list[list[float]], ignore: list[list[float]] | None = None) -> ChosenPicture:
    sample = Sample(
        image_id=7,
        path=Path("street.jpg"),
        width=100,
        height=80,
        boxes_xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        class_ids=np.zeros(len(boxes), np.int64),
        areas=np.ones(len(boxes), np.float32),
        ignore_xyxy=np.array(ignore or [], np.float32).reshape(-1, 4),
        ignore_class_ids=np.zeros(len(ignore or []), np.int64),
    )
    return ChosenPicture("val", sample, lambda: picture(1))


def small_config(*settings: str) -> Config:
    return load_config("demo", ["input.width=128", "input.height=64", *settings])


def network(config: Config, classes: int = 2) -> NanoDetPlus:
    torch.manual_seed(0)
    return NanoDetPlus(config.model, classes).eval()


def test_boxes_follow_the_pictures_letterbox() -> None:
    config = small_config("input.resize=letterbox")
    shown = assign_chosen(network(config), config, ("a", "b"), chosen_picture([[0, 0, 100, 80]], [[50, 40, 100, 80]]))
    assert shown.objects[0].box_xyxy == (24, 0, 104, 64)  # 100x80 becomes 80x64, centred in 128x64
    assert shown.ignore_xyxy.tolist() == [[64, 32, 104, 64]]
    assert shown.picture.shape == (64, 128, 3) and (shown.picture[:, :24] == config.input.pad_value).all()


def test_a_picture_without_objects_has_no_positives() -> None:
    config = small_config()
    shown = assign_chosen(network(config), config, ("a", "b"), chosen_picture([]))
    assert shown.objects == () and shown.agreement is None
    document = shown.as_json()
    assert document["agm"]["positives"] == 0 and document["agm"]["mean_quality"] is None and document["objects"] == []


def test_without_an_agm_the_head_stands_alone() -> None:
    config = small_config("model.agm.enabled=false")
    shown = assign_chosen(network(config), config, ("a", "b"), chosen_picture([[10, 10, 60, 60]]))
    assert shown.guides == ("head",) and shown.agreement is None and shown.positives("head")
    assert "agm" not in shown.as_json() and "agm" not in shown.as_json()["objects"][0]


def test_the_assigners_settings_count() -> None:
    config = small_config()
    model = network(config)
    many = assign_chosen(model, config, ("a", "b"), chosen_picture([[5, 5, 95, 75]]))
    one = assign_chosen(
        model, config_with(config, ["assigner.candidates=1"], "test"), ("a", "b"), chosen_picture([[5, 5, 95, 75]])
    )
    assert len(one.positives("head")) == 1 < len(many.positives("head"))


def test_agreement_is_the_share_of_common_pairs() -> None:
    def positives(*priors: int) -> tuple[Positive, ...]:
        return tuple(Positive(prior, 8, 0.0, 0.0, 0.5) for prior in priors)

    box = (0.0, 0.0, 8.0, 8.0)
    first = AssignedObject("a", 0, box, {"head": positives(1, 2), "agm": positives(2, 3)})
    second = AssignedObject("a", 0, box, {"head": positives(3), "agm": positives(4)})
    assert agreement([first]) == pytest.approx(1 / 3)
    assert agreement([first, second]) == pytest.approx(1 / 5)  # prior 3 learns another object here and there
    assert agreement([dataclasses.replace(first, positives={"head": (), "agm": ()})]) is None


def test_the_one_who_decides_is_said_as_training_does_it() -> None:
    config = small_config("model.agm.detach_epoch=6", "assigner.predictions=head")
    assert [deciding_guide(config, epoch) for epoch in (0, 5, 6)] == ["agm", "agm", "head"]
    assert deciding_guide(small_config("model.agm.detach_epoch=6"), 16) == "agm"


def test_a_checkpoint_says_how_many_epochs_it_was_trained(small_run: Path, checkpoint: Checkpoint) -> None:
    assert checkpoint.epoch == 8
    assert load_checkpoint(small_run / "checkpoints" / "best.ckpt").epoch in (4, 8)
