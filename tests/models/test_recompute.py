"""A step that keeps fewer maps computes what a plain step computes, updates statistics once, and is smaller."""

from __future__ import annotations

import copy

import pytest
import torch
from nanoedge.config.network import AssignGuidanceConfig, BackboneConfig, HeadConfig, ModelConfig, NeckConfig
from nanoedge.models import recompute as recompute_module
from nanoedge.models.layers import ACTIVATIONS, ConvNormAct
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.models.recompute import recomputed_activations
from torch import nn

Grads = dict[str, torch.Tensor]


def network(
    backbone: str = "shufflenet_v2", activation: str = "leaky_relu", dtype: torch.dtype = torch.float32
) -> NanoDetPlus:
    torch.manual_seed(0)
    config = ModelConfig(
        backbone=BackboneConfig(name=backbone, width=0.5, activation=activation),
        neck=NeckConfig(channels=32, activation=activation),
        head=HeadConfig(channels=32, activation=activation),
        agm=AssignGuidanceConfig(channels=64, stacked_convs=2),
    )
    return NanoDetPlus(config, classes=3).to(dtype, memory_format=torch.channels_last)


def step(model: NanoDetPlus, recompute: bool) -> tuple[torch.Tensor, Grads]:
    """Head's output and all gradients of one forward and backward pass."""
    torch.manual_seed(1)
    pictures = torch.randn(2, 3, 64, 96).to(model.head.predict[0].weight.dtype, memory_format=torch.channels_last)
    with recomputed_activations(recompute):
        output = model.forward_training(pictures, detach_agm=False)
    (output.head.square().sum() + output.agm.square().sum()).backward()
    return output.head.detach(), {name: value.grad for name, value in model.named_parameters()}


def assert_equal(found: torch.Tensor, expected: torch.Tensor, name: str = "") -> None:
    largest = float(expected.abs().max())
    torch.testing.assert_close(
        found, expected, rtol=1e-4, atol=2e-5 * largest + 1e-9, msg=lambda text: f"{name}: {text}"
    )


@pytest.mark.parametrize(
    ("backbone", "activation"), [("ghostnet", "relu"), *(("shufflenet_v2", name) for name in sorted(ACTIVATIONS))]
)
def test_outputs_gradients_and_statistics_are_those_of_a_plain_step(backbone: str, activation: str) -> None:
    """In double: in fp32 the rounding of a random deep network's early gradients hides what is compared."""
    plain = network(backbone, activation, torch.float64)
    small = copy.deepcopy(plain)
    expected, expected_gradients = step(plain, recompute=False)
    found, found_gradients = step(small, recompute=True)
    assert torch.equal(found, expected)
    for name, gradient in expected_gradients.items():
        assert_equal(found_gradients[name], gradient, name)
    for name, buffer in plain.named_buffers():
        assert_equal(small.get_buffer(name).double(), buffer.double(), name)


def test_running_statistics_are_updated_once_a_step() -> None:
    model = network()
    step(model, recompute=True)
    counts = {int(value) for name, value in model.named_buffers() if name.endswith("num_batches_tracked")}
    assert counts == {1}


def test_batch_norms_in_evaluation_mode_stay_as_they_are() -> None:
    plain = network(dtype=torch.float64)
    step(plain, recompute=False)
    for module in plain.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    plain.zero_grad()
    small = copy.deepcopy(plain)
    before = {name: value.clone() for name, value in small.named_buffers()}
    _, expected = step(plain, recompute=False)
    _, found = step(small, recompute=True)
    for name, gradient in expected.items():
        assert_equal(found[name], gradient, name)
    assert all(torch.equal(value, before[name]) for name, value in small.named_buffers())


def test_a_recomputed_step_gives_the_same_bits_again() -> None:
    first, second = network(), network()
    _, one = step(first, recompute=True)
    _, other = step(second, recompute=True)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_less_than_two_thirds_of_the_memory_is_kept_for_the_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def size_kept(recompute: bool) -> int:
        kept: dict[int, int] = {}

        def count(saved: torch.Tensor) -> None:
            kept[saved.untyped_storage().data_ptr()] = saved.untyped_storage().nbytes()

        def keep_and_count(saved: torch.Tensor) -> torch.Tensor:
            count(saved)
            return saved

        def note_and_count(notes: recompute_module._Notes, saved: torch.Tensor) -> object:
            result = pack(notes, saved)
            count(result if isinstance(result, torch.Tensor) else result.note.source)
            return result

        model = network()
        pack = recompute_module._Notes.pack
        with monkeypatch.context() as patched, torch.autograd.graph.saved_tensors_hooks(keep_and_count, lambda x: x):
            patched.setattr(recompute_module._Notes, "pack", note_and_count)
            with recomputed_activations(recompute):
                output = model.forward_training(torch.randn(4, 3, 128, 128), detach_agm=False)
        assert output.head.requires_grad  # the graph, and so what it keeps, is alive
        return sum(kept.values()) - sum(value.nbytes for value in model.parameters())

    assert size_kept(recompute=True) < 0.67 * size_kept(recompute=False)


def test_a_map_that_is_written_to_later_is_kept_as_it_then_is() -> None:
    def result(recompute: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        block, after = ConvNormAct(4, 8, 3), nn.Conv2d(8, 4, 1)
        x = torch.randn(2, 4, 6, 6)
        with recomputed_activations(recompute):
            # the activation's own backward pass does not need what is written to a copy of its result
            changed = block(x).clone().mul_(3.0).add_(1.0)
            output = after(changed)
        output.square().sum().backward()
        return [value.grad for value in (*block.parameters(), *after.parameters())]

    for found, expected in zip(result(True), result(False), strict=True):
        assert_equal(found, expected)


def test_slices_of_a_map_come_back_as_they_were() -> None:
    def result(recompute: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        block, left, right = ConvNormAct(4, 8, 3), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3)
        x = torch.randn(2, 4, 6, 6).contiguous(memory_format=torch.channels_last)
        with recomputed_activations(recompute):
            one, other = block(x).chunk(2, dim=1)
            output = left(one).mean() + right(other).square().mean()
        output.backward()
        return [value.grad for part in (block, left, right) for value in part.parameters()]

    for found, expected in zip(result(True), result(False), strict=True):
        assert_equal(found, expected)


def test_nothing_is_noted_without_gradients() -> None:
    model = network()
    with torch.no_grad(), recomputed_activations():
        output = model.forward_training(torch.randn(2, 3, 64, 64), detach_agm=True)
    assert not output.head.requires_grad


def test_the_backward_pass_can_run_twice() -> None:
    torch.manual_seed(0)
    block, after = ConvNormAct(4, 8, 3), nn.Conv2d(8, 4, 1)
    with recomputed_activations():
        loss = after(block(torch.randn(2, 4, 6, 6))).square().sum()
    first = torch.autograd.grad(loss, [block.conv.weight], retain_graph=True)[0]
    assert_equal(torch.autograd.grad(loss, [block.conv.weight])[0], first)
