"""The network's shape: published parameter counts, channels, strides, and where the AGM's gradients go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from nanoedge.config.network import AssignGuidanceConfig, BackboneConfig, HeadConfig, ModelConfig, NeckConfig
from nanoedge.models.backbones.ghostnet import GhostNet, round_channels
from nanoedge.models.backbones.shufflenet_v2 import ShuffleNetV2, channel_shuffle
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.models.necks.ghost_pan import GhostPAN
from nanoedge.models.priors import make_priors
from torch import nn

WITHOUT_AGM = AssignGuidanceConfig(enabled=False)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small networks gain nothing from more, and wait for each other where tests run side by side."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small_model(agm: bool = True) -> NanoDetPlus:
    torch.manual_seed(0)
    guidance = AssignGuidanceConfig(channels=64, stacked_convs=1) if agm else WITHOUT_AGM
    config = ModelConfig(
        backbone=BackboneConfig(width=0.5), neck=NeckConfig(channels=16), head=HeadConfig(channels=16), agm=guidance
    )
    return NanoDetPlus(config, classes=3)


def parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def learning_parts(model: NanoDetPlus) -> set[str]:
    """Names of the direct children of which some parameter received a gradient that is not zero."""
    return {
        name
        for name, part in model.named_children()
        if any(value.grad is not None and bool(value.grad.abs().sum() > 0) for value in part.parameters())
    }


def test_plus_m_with_80_classes_has_the_published_number_of_parameters() -> None:
    model = NanoDetPlus(ModelConfig(), classes=80)
    assert parameter_count(model) == 4_330_904
    assert sum(parameter_count(part) for part in (model.backbone, model.neck, model.head)) == 1_197_924


def test_without_the_agm_only_the_deployed_parameters_are_made() -> None:
    assert parameter_count(NanoDetPlus(ModelConfig(agm=WITHOUT_AGM), classes=80)) == 1_197_924


@pytest.mark.parametrize(
    ("width", "channels"),
    [
        (1.0, [16, 24, 24, 40, 40, 80, 112, 160, 160, 960]),
        (0.75, [12, 20, 20, 32, 32, 60, 84, 120, 120, 720]),
    ],
)
def test_ghostnet_stages_have_the_known_channels_and_feed_4_6_and_9(width: float, channels: list[int]) -> None:
    backbone = GhostNet(width).eval()
    assert backbone.stage_channels == channels
    assert backbone.out_channels == (channels[4], channels[6], channels[9])
    with torch.no_grad():
        features = backbone(torch.zeros(1, 3, 64, 96))
    assert [tuple(feature.shape) for feature in features] == [
        (1, channels[4], 8, 12),
        (1, channels[6], 4, 6),
        (1, channels[9], 2, 3),
    ]


@pytest.mark.parametrize("channels", [0.5, 4, 5.9, 6, 21, 37.5, 55, 61.9, 333.3])
def test_rounded_channels_are_multiples_of_4_and_never_more_than_a_tenth_below(channels: float) -> None:
    rounded = round_channels(channels)
    assert rounded % 4 == 0 and rounded >= 4
    assert rounded >= 0.9 * channels
    assert abs(rounded - channels) < 4 or rounded == 4


@pytest.mark.parametrize(
    ("width", "channels"),
    [(0.5, (48, 96, 192)), (1.0, (116, 232, 464)), (1.5, (176, 352, 704)), (2.0, (244, 488, 976))],
)
def test_shufflenet_features_have_the_known_channels_at_strides_8_16_32(
    width: float, channels: tuple[int, int, int]
) -> None:
    backbone = ShuffleNetV2(width).eval()
    assert backbone.out_channels == channels
    with torch.no_grad():
        features = backbone(torch.zeros(2, 3, 64, 96))
    assert [tuple(feature.shape) for feature in features] == [
        (2, channels[0], 8, 12),
        (2, channels[1], 4, 6),
        (2, channels[2], 2, 3),
    ]


def test_channel_shuffle_interleaves_the_two_halves() -> None:
    x = torch.arange(6.0).view(1, 6, 1, 1)
    assert channel_shuffle(x).flatten().tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize("extra_levels", [0, 1, 2])
def test_the_neck_adds_levels_above_each_at_twice_the_stride(extra_levels: int) -> None:
    neck = GhostPAN((8, 12, 20), channels=16, extra_levels=extra_levels).eval()
    features = [torch.zeros(1, width, 64 // stride, 96 // stride) for width, stride in ((8, 2), (12, 4), (20, 8))]
    with torch.no_grad():
        outputs = neck(features)
    sizes = [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)][: 3 + extra_levels]
    assert [tuple(output.shape) for output in outputs] == [(1, 16, *size) for size in sizes]


def test_the_extra_level_is_the_sum_of_a_convolution_of_the_reduced_top_and_one_of_the_top_output() -> None:
    neck = GhostPAN((8, 12, 20), channels=16).eval()
    features = [torch.randn(1, width, 64 // stride, 96 // stride) for width, stride in ((8, 2), (12, 4), (20, 8))]
    with torch.no_grad():
        outputs = neck(features)
        from_reduced = neck.extra_from_reduced[0](neck.reduce[2](features[2]))
        from_output = neck.extra_from_output[0](outputs[2])
    torch.testing.assert_close(outputs[3], from_reduced + from_output)


@pytest.mark.parametrize(("side", "priors"), [(320, 2125), (416, 3598)])
def test_the_output_has_one_row_a_prior_and_112_channels_with_80_classes(side: int, priors: int) -> None:
    model = NanoDetPlus(ModelConfig(agm=WITHOUT_AGM), classes=80).eval()
    with torch.no_grad():
        output = model(torch.zeros(1, 3, side, side))
    assert output.shape == (1, priors, 112)


def test_an_oblong_input_gives_a_row_for_each_of_its_priors() -> None:
    model = small_model().eval()
    with torch.no_grad():
        output = model(torch.zeros(2, 3, 96, 160))
    assert output.shape == (2, len(make_priors(160, 96, (8, 16, 32, 64))), 3 + 32)


@pytest.mark.parametrize(("level", "row", "column"), [(0, 2, 17), (0, 9, 4), (1, 5, 2), (2, 0, 4), (3, 1, 0)])
def test_the_rows_of_an_oblong_input_are_in_the_order_of_the_priors(level: int, row: int, column: int) -> None:
    """One changed cell of a level changes the rows of the priors around it: 4 cells far for two 5 x 5 convolutions."""
    head = small_model(agm=False).head.double().eval()
    sizes = [(-(-96 // stride), -(-160 // stride)) for stride in (8, 16, 32, 64)]
    features = [torch.randn(1, 16, *size).double() for size in sizes]
    with torch.no_grad():
        before = head(features)[0]
        features[level][0, :, row, column] += 1000.0
        changed = (head(features)[0] - before).abs().sum(dim=1) > 1e-12
    priors = make_priors(160, 96, (8, 16, 32, 64))[changed]
    assert priors[:, 2].unique().tolist() == [8 * 2**level]
    cells = priors[:, :2] / priors[:, 2:]
    height, width = sizes[level]
    assert cells.min(dim=0).values.tolist() == [max(0, column - 4), max(0, row - 4)]
    assert cells.max(dim=0).values.tolist() == [min(width - 1, column + 4), min(height - 1, row + 4)]


def test_at_the_start_every_class_is_thought_improbable() -> None:
    model = small_model().eval()
    for convolution in model.head.predict:
        torch.testing.assert_close(convolution.bias[:3], torch.full((3,), -4.595))
    torch.testing.assert_close(model.agm_head.predict_classes.bias, torch.full((3,), -4.595))
    with torch.no_grad():
        scores = model(torch.randn(1, 3, 64, 64))[..., :3].sigmoid()
    assert float(scores.min()) > 0.008 and float(scores.max()) < 0.0125


def test_before_detaching_the_agm_teaches_backbone_and_neck() -> None:
    model = small_model()
    output = model.forward_training(torch.randn(2, 3, 64, 64), detach_agm=False)
    output.agm.square().sum().backward()
    assert learning_parts(model) == {"backbone", "neck", "agm_neck", "agm_head"}


def test_after_detaching_the_agm_teaches_only_itself() -> None:
    model = small_model()
    output = model.forward_training(torch.randn(2, 3, 64, 64), detach_agm=True)
    output.agm.square().sum().backward()
    assert learning_parts(model) == {"agm_neck", "agm_head"}


@pytest.mark.parametrize("detach_agm", [False, True])
def test_the_head_always_teaches_backbone_and_neck_and_never_the_agm(detach_agm: bool) -> None:
    model = small_model()
    output = model.forward_training(torch.randn(2, 3, 64, 64), detach_agm)
    output.head.square().sum().backward()
    assert learning_parts(model) == {"backbone", "neck", "head"}


def test_detaching_changes_no_value() -> None:
    model = small_model().eval()
    pictures = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        attached, detached = (model.forward_training(pictures, detach) for detach in (False, True))
        torch.testing.assert_close(attached.agm, detached.agm)
        torch.testing.assert_close(attached.head, model(pictures))
    assert attached.agm.shape == attached.head.shape


def test_the_agm_has_one_scale_a_level_which_moves_boxes_and_not_classes() -> None:
    model = small_model().eval()
    pictures = torch.randn(1, 3, 64, 64)
    levels = make_priors(64, 64, (8, 16, 32, 64))[:, 2]
    with torch.no_grad():
        before = model.forward_training(pictures, detach_agm=False).agm[0]
        model.agm_head.scales[1] = 2.0
        after = model.forward_training(pictures, detach_agm=False).agm[0]
    torch.testing.assert_close(after[:, :3], before[:, :3])
    torch.testing.assert_close(after[levels == 16, 3:], 2 * before[levels == 16, 3:])
    torch.testing.assert_close(after[levels != 16], before[levels != 16])


def test_the_agm_starts_with_a_copy_of_the_neck_and_shares_nothing() -> None:
    model = small_model()
    for mine, other in zip(model.neck.parameters(), model.agm_neck.parameters(), strict=True):
        assert torch.equal(mine, other) and mine.data_ptr() != other.data_ptr()


def test_without_an_agm_training_has_one_prediction() -> None:
    output = small_model(agm=False).forward_training(torch.randn(2, 3, 64, 64), detach_agm=False)
    assert output.agm is None
    assert output.head.shape == (2, 64 + 16 + 4 + 1, 3 + 32)
