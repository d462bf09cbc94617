"""Our 3 x 3 convolution against PyTorch's: values and gradients, on maps of any size, and where it is used."""

from __future__ import annotations

import pytest
import torch
from nanoedge.models.heads.simple_conv import SimpleConvHead
from nanoedge.models.winograd import tiles as winograd_tiles
from nanoedge.models.winograd.convolution import convolve_levels, winograd_pays
from torch.nn import functional

SIZES = [(7, 9), (8, 8), (5, 5), (1, 1), (3, 50), (13, 2), (40, 40)]


def maps(sizes: list[tuple[int, int]], channels: int = 32, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    torch.manual_seed(0)
    made = [torch.randn(2, channels, *size, dtype=dtype) for size in sizes]
    return [level.to(memory_format=torch.channels_last).requires_grad_() for level in made]


def filters(out_channels: int = 48, channels: int = 32, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    torch.manual_seed(1)
    return (torch.randn(out_channels, channels, 3, 3, dtype=dtype) * 0.05).requires_grad_()


def largest_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """As a share of the largest value."""
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / expected.abs().max())


def gradients(outputs: list[torch.Tensor], inputs: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(2)
    return torch.autograd.grad(outputs, inputs, [torch.randn_like(output) for output in outputs])


@pytest.mark.parametrize("size", SIZES)
def test_values_and_gradients_are_those_of_a_convolution(size: tuple[int, int]) -> None:
    levels, weight = maps([size]), filters()
    found, expected = convolve_levels(levels, weight), [functional.conv2d(levels[0], weight, padding=1)]
    assert largest_error(found[0].detach(), expected[0].detach()) < 5e-5
    for ours, theirs in zip(gradients(found, [*levels, weight]), gradients(expected, [*levels, weight]), strict=True):
        assert largest_error(ours, theirs) < 5e-5


def test_several_levels_share_a_weight_and_its_gradient() -> None:
    levels, weight = maps(SIZES, dtype=torch.float64), filters(dtype=torch.float64)
    found = convolve_levels(levels, weight)
    expected = [functional.conv2d(level, weight, padding=1) for level in levels]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    for ours, theirs in zip(gradients(found, [*levels, weight]), gradients(expected, [*levels, weight]), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("tiles", [1, 7, 1000])
def test_the_size_of_the_blocks_changes_no_value(monkeypatch: pytest.MonkeyPatch, tiles: int) -> None:
    levels, weight = maps(SIZES, dtype=torch.float64), filters(dtype=torch.float64)
    before = [part.detach() for part in convolve_levels(levels, weight)]
    monkeypatch.setattr(winograd_tiles, "BLOCK_TILES", tiles)
    after = convolve_levels(levels, weight)
    for ours, theirs in zip(after, before, strict=True):
        torch.testing.assert_close(ours.detach(), theirs)
    direct = gradients([functional.conv2d(level, weight, padding=1) for level in levels], [weight])
    torch.testing.assert_close(gradients(after, [weight])[0], direct[0])


def test_the_gradients_pass_a_numerical_check_in_double() -> None:
    levels, weight = maps([(5, 6), (2, 3)], channels=2, dtype=torch.float64), filters(3, 2, torch.float64)
    assert torch.autograd.gradcheck(lambda *inputs: tuple(convolve_levels(inputs[1:], inputs[0])), [weight, *levels])


def test_maps_in_another_memory_format_and_slices_of_wider_maps_are_read_right() -> None:
    wide = torch.randn(2, 64, 9, 10)
    weight = filters().detach()
    for level in (wide[:, 32:], wide.to(memory_format=torch.channels_last)[:, 32:]):
        found = convolve_levels([level], weight)[0]
        assert found.is_contiguous(memory_format=torch.channels_last)
        assert largest_error(found, functional.conv2d(level, weight, padding=1)) < 5e-5


def test_only_what_needs_a_gradient_gets_one() -> None:
    levels, weight = maps([(8, 8), (4, 4)]), filters().detach()
    levels[1] = levels[1].detach()
    sum(part.sum() for part in convolve_levels(levels, weight)).backward()
    assert levels[0].grad is not None and levels[1].grad is None and weight.grad is None


def test_the_same_input_gives_the_same_bits() -> None:
    levels, weight = maps(SIZES), filters()
    first, second = (gradients(convolve_levels(levels, weight), [*levels, weight]) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_it_is_used_in_training_in_fp32_on_a_cpu_only() -> None:
    level, weight = torch.zeros(1, 64, 8, 8), torch.zeros(64, 64, 3, 3)
    assert winograd_pays(level, weight)
    assert not winograd_pays(level.double(), weight.double())
    assert not winograd_pays(level, weight[:3])
    assert not winograd_pays(level.to("meta"), weight.to("meta"))
    with torch.no_grad():
        assert not winograd_pays(level, weight)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not winograd_pays(level, weight)


def test_the_agms_head_computes_the_same_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    head = SimpleConvHead(classes=3, in_channels=64, channels=64, stacked_convs=2)
    levels = maps([(12, 20), (6, 10), (3, 5), (2, 3)], channels=64)
    inputs = [*levels, *head.parameters()]
    ours = head(levels)
    our_gradients = gradients([ours], inputs)
    monkeypatch.setattr("nanoedge.models.heads.simple_conv.winograd_pays", lambda level, weight: False)
    theirs = head(levels)
    assert largest_error(ours.detach(), theirs.detach()) < 1e-4
    for one, other in zip(our_gradients, gradients([theirs], inputs), strict=True):
        assert largest_error(one, other) < 1e-4


def test_the_agms_head_is_still_two_stacks_of_convolution_group_norm_and_activation() -> None:
    """Block by block, as its state dict names them."""
    torch.manual_seed(0)
    head = SimpleConvHead(classes=3, in_channels=64, channels=64, levels=1, stacked_convs=3).double()
    level = maps([(7, 6)], channels=64, dtype=torch.float64)[0]
    classes = head.predict_classes(head.class_stack(level))
    boxes = head.predict_boxes(head.box_stack(level)) * head.scales[0]
    expected = torch.cat([classes, boxes], dim=1).flatten(start_dim=2).permute(0, 2, 1)
    torch.testing.assert_close(head([level]), expected)
    names = [name for name, _ in head.named_parameters()]
    assert {"class_stack.0.conv.weight", "box_stack.2.norm.bias", "predict_boxes.weight", "scales"} <= set(names)
