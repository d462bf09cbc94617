"""EfficientNet-Lite: the scaling of the paper, the published sizes, strides, TensorFlow's padding."""

from __future__ import annotations

import math

import pytest
import torch
from nanoedge.models.backbones.efficientnet_lite import STAGES, VARIANTS, EfficientNetLite, HalvingConv
from torch import nn

SCALES = {"efficientnet_lite0": (1.0, 1.0), "efficientnet_lite1": (1.0, 1.1), "efficientnet_lite2": (1.1, 1.2)}
B0_CHANNELS, B0_BLOCKS = (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)


@pytest.mark.parametrize("name", list(SCALES))
def test_channels_and_blocks_are_those_of_the_paper_times_width_and_depth(name: str) -> None:
    width, depth = SCALES[name]
    assert VARIANTS[name].channels == tuple(8 * int(width * channels / 8 + 0.5) for channels in B0_CHANNELS)
    middle = tuple(math.ceil(depth * blocks) for blocks in B0_BLOCKS[1:-1])
    assert VARIANTS[name].blocks == (B0_BLOCKS[0], *middle, B0_BLOCKS[-1])


@pytest.mark.parametrize(
    ("name", "millions"), [("efficientnet_lite0", 4.7), ("efficientnet_lite1", 5.4), ("efficientnet_lite2", 6.1)]
)
def test_with_its_classifier_it_has_the_published_number_of_parameters(name: str, millions: float) -> None:
    backbone = EfficientNetLite(name)
    classifier = nn.Sequential(
        nn.Conv2d(backbone.out_channels[-1], 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.Linear(1280, 1000)
    )
    count = sum(parameter.numel() for part in (backbone, classifier) for parameter in part.parameters())
    assert round(count / 1e6, 1) == millions


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("efficientnet_lite0", (40, 112, 320)),
        ("efficientnet_lite1", (40, 112, 320)),
        ("efficientnet_lite2", (48, 120, 352)),
    ],
)
def test_features_have_the_known_channels_at_strides_8_16_32(name: str, channels: tuple[int, int, int]) -> None:
    backbone = EfficientNetLite(name).eval()
    assert backbone.out_channels == channels
    with torch.no_grad():
        features = backbone(torch.zeros(1, 3, 64, 96))
    assert [tuple(feature.shape) for feature in features] == [
        (1, channels[0], 8, 12),
        (1, channels[1], 4, 6),
        (1, channels[2], 2, 3),
    ]


def test_there_is_no_squeeze_excite_and_no_activation_but_relu6() -> None:
    kinds = {type(module) for module in EfficientNetLite().modules() if not list(module.children())}
    assert kinds == {nn.Conv2d, nn.BatchNorm2d, nn.ReLU6, nn.Identity}


def test_a_block_of_stride_1_and_equal_channels_adds_its_input() -> None:
    backbone = EfficientNetLite()
    shortcuts = [[block.has_shortcut for block in stage] for stage in backbone.stages]
    assert shortcuts == [[False] + [True] * (blocks - 1) for blocks in VARIANTS["efficientnet_lite0"].blocks]
    block = backbone.stages[1][1].eval()
    nn.init.zeros_(block.project.conv.weight)
    x = torch.randn(1, 24, 4, 6)
    with torch.no_grad():
        torch.testing.assert_close(block(x), x)


@pytest.mark.parametrize(("kernel_size", "first", "last"), [(3, 0, 2), (5, -1, 3)])
def test_at_stride_2_a_cell_sees_one_pixel_more_below_and_right(kernel_size: int, first: int, last: int) -> None:
    block = HalvingConv(1, 1, kernel_size, 1, "relu6").eval()
    nn.init.ones_(block.conv.weight)
    for row, column in ((4, 4), (8, 2)):
        picture = torch.zeros(1, 1, 12, 12, requires_grad=True)
        block.conv(nn.functional.pad(picture, block.pads))[0, 0, row // 2, column // 2].backward()
        rows, columns = (side.unique().tolist() for side in picture.grad[0, 0].nonzero().unbind(dim=1))
        assert rows == list(range(row + first, row + last + 1))
        assert columns == list(range(column + first, column + last + 1))
    assert block(torch.zeros(1, 1, 12, 20)).shape == (1, 1, 6, 10)


def test_halving_stages_are_the_papers() -> None:
    strides = [stride for _, _, stride in STAGES]
    assert math.prod(strides[:3]) * 2 == 8 and math.prod(strides[:5]) * 2 == 16 and math.prod(strides) * 2 == 32
