"""The theoretical receptive fields are those that one can count by hand, and nothing outside them matters."""

from __future__ import annotations

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.config.network import ModelConfig
from nanoedge.errors import NanoEdgeError
from nanoedge.inspection import receptive_field
from nanoedge.inspection.receptive_field import ReceptiveField, has_global_gates, receptive_fields
from nanoedge.models.backbones.ghostnet import OUT_STAGES, STAGES
from nanoedge.models.nanodet_plus import NanoDetPlus


@pytest.fixture(scope="module")
def fields() -> list[ReceptiveField]:
    return receptive_fields(load_config("nanodet-plus-m_320").model, classes=80)


def test_shufflenet_sees_63_303_and_527_pixels(fields: list[ReceptiveField]) -> None:
    stages = [field for field in fields if field.part == "backbone"]
    assert [(field.stride, field.channels, field.pixels) for field in stages] == [
        (8, 116, 63),
        (16, 232, 303),
        (32, 464, 527),
    ]
    assert all(field.first == -field.last for field in stages)


def test_every_neck_and_head_level_is_there_and_sees_more_than_what_it_reads(fields: list[ReceptiveField]) -> None:
    sizes = {(field.part, field.stride): field.pixels for field in fields}
    assert list(sizes) == [("backbone", stride) for stride in (8, 16, 32)] + [
        (part, stride) for part in ("neck", "head") for stride in (8, 16, 32, 64)
    ]
    assert all(sizes["neck", stride] > sizes["backbone", 32] for stride in (8, 16, 32, 64))
    for stride in (8, 16, 32, 64):  # two depth-wise 5 x 5 convolutions
        assert sizes["head", stride] - sizes["neck", stride] == 2 * 4 * stride
    assert {field.channels for field in fields if field.part == "head"} == {80 + 32}


def test_the_necks_way_up_is_as_one_counts_it_by_hand(fields: list[ReceptiveField]) -> None:
    sizes = {(field.part, field.stride): field.pixels for field in fields}
    # To stride 16: a 5 x 5 halving of the outputs at stride 8, then a merge whose shortcut is 5 x 5 at stride 16.
    assert sizes["neck", 16] - sizes["neck", 8] == 4 * 8 + 4 * 16
    # To stride 64: a 5 x 5 halving of the outputs at stride 32, nothing after it.
    assert sizes["neck", 64] - sizes["neck", 32] == 4 * 32


def counted(chain: list[tuple[int, int]]) -> int:
    """1 + the sum of (kernel - 1) * step over a chain of (kernel, stride)."""
    size, step = 1, 1
    for kernel, stride in chain:
        size += (kernel - 1) * step
        step *= stride
    return size


def test_ghostnet_without_its_gates_is_as_its_table_says() -> None:
    chain: list[tuple[int, int]] = [(3, 2)]
    wanted = []
    for number, stage in enumerate((*STAGES, ())):
        for kernel, _, _, _, stride in stage:
            chain += [(3, 1), *([(kernel, stride)] if stride > 1 else []), (3, 1)]
        if number in OUT_STAGES:
            wanted.append(counted(chain))
    config = load_config("nanodet-plus-ghost_320").model
    small = config.model_copy(update={"backbone": config.backbone.model_copy(update={"width": 0.1})})
    found = receptive_fields(small)
    assert [field.pixels for field in found if field.part == "backbone"] == wanted
    assert found[-1].channels is None  # nobody said how many classes
    assert has_global_gates(small) and not has_global_gates(load_config("demo").model)


def test_efficientnet_with_its_uneven_padding_is_as_its_table_says() -> None:
    stages = [[(3, 2), (3, 1), (3, 2), (3, 1), (5, 2), (5, 1)], [(3, 2), (3, 1), (3, 1), *[(5, 1)] * 3]]
    stages.append([(5, 2), *[(5, 1)] * 3, (3, 1)])
    wanted = [counted([layer for stage in stages[:count] for layer in stage]) for count in (1, 2, 3)]
    found = receptive_fields(load_config("nanodet-plus-efficientnet-lite0_320").model)
    assert [field.pixels for field in found if field.part == "backbone"] == wanted == [67, 339, 851]


def test_the_field_is_all_that_matters_and_all_of_it_does(fields: list[ReceptiveField]) -> None:
    torch.manual_seed(0)
    backbone = NanoDetPlus(load_config("demo").model, 1).backbone.eval()
    picture = torch.randn(1, 3, 128, 32)
    place = 64

    def output(changed_row: int) -> torch.Tensor:
        changed = picture.clone()
        changed[:, :, changed_row] += 1000.0
        with torch.no_grad():
            return backbone(changed)[0][0, :, place // 8]

    with torch.no_grad():
        unchanged = backbone(picture)[0][0, :, place // 8]
    field = fields[0]
    for outside in (field.first - 1, field.last + 1):
        assert torch.equal(output(place + outside), unchanged)
    for edge in (field.first, field.last):
        assert not torch.equal(output(place + edge), unchanged)


def test_a_part_that_sees_everything_is_said_to_be_global(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config("nanodet-plus-ghost_320").model
    small = ModelConfig.model_validate({**config.model_dump(), "backbone": {"name": "ghostnet", "width": 0.1}})
    monkeypatch.setattr(receptive_field, "_GLOBAL", ())
    monkeypatch.setattr(receptive_field, "_FIRST_LENGTH", 512)
    monkeypatch.setattr(receptive_field, "_MOST_LENGTH", 512)
    with pytest.raises(NanoEdgeError, match="is global"):
        receptive_fields(small)
