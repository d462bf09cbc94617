"""The compiler, pass by pass and as a whole."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from nanoedge.config.interface import InputSpec
from nanoedge.config.load import load_config
from nanoedge.errors import ExportError
from nanoedge.export.native.compile import FILE, census_of_native, compile_float, convert_to_native, read_and_simplify
from nanoedge.export.native.graph import Activate, Concatenate, Convolution, Copy, Graph, Interleave, Slice
from nanoedge.export.native.passes.add_borders import add_borders
from nanoedge.export.native.passes.leave_room import leave_room
from nanoedge.export.native.passes.place import place_maps
from nanoedge.export.native.passes.plan_memory import plan_memory
from nanoedge.export.native.read import read_network
from nanoedge.export.native.serialise import HEADER, read_tables, serialise
from nanoedge.export.native.simulate import run_float
from nanoedge.export.strip import census, strip
from nanoedge.models.nanodet_plus import NanoDetPlus
from torch import nn

SPEC = InputSpec(width=96, height=64)
BACKBONES = {
    "shufflenet": ["model.backbone.name=shufflenet_v2", "model.backbone.width=0.5"],
    "ghostnet": ["model.backbone.name=ghostnet", "model.backbone.width=0.75", "model.backbone.activation=relu"],
    "lite": ["model.backbone.name=efficientnet_lite0", "model.backbone.activation=relu6"],
    "swish": ["model.backbone.name=shufflenet_v2", "model.backbone.activation=hard_swish"],
    "silu": ["model.backbone.name=shufflenet_v2", "model.backbone.activation=silu", "model.head.activation=silu"],
}


def network_of(backbone: str) -> NanoDetPlus:
    """Random weights, and statistics that leave signals of ordinary size."""
    torch.manual_seed(0)
    small = ["model.neck.channels=36", "model.head.channels=36", "model.agm.enabled=false"]
    model = NanoDetPlus(load_config("nanodet-plus-m_320", [*BACKBONES[backbone], *small]).model, 5).train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, 3, 64, 96))
    return strip(model)


@pytest.fixture(scope="module", params=list(BACKBONES))
def network(request: pytest.FixtureRequest) -> NanoDetPlus:
    return network_of(request.param)


def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (3, SPEC.height, SPEC.width)).astype(np.float32)


def expected_of(network: nn.Module) -> np.ndarray:
    shape = (3, 1, 1)
    normalised = (picture() - np.reshape(SPEC.mean, shape)) / np.reshape(SPEC.std, shape)
    with torch.no_grad():
        return network(torch.from_numpy(normalised[None].astype(np.float32)))[0].numpy()


def rows_of(graph: Graph, maps: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([maps[level].reshape(len(maps[level]), -1).T for level in graph.outputs])


def test_the_simplified_graph_calculates_what_the_network_does(network: NanoDetPlus) -> None:
    graph = read_and_simplify(network, SPEC)
    expected = expected_of(network)
    found = rows_of(graph, run_float(graph, picture()))
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def test_activations_are_part_of_what_they_follow(network: NanoDetPlus) -> None:
    before = read_network(network, SPEC.width, SPEC.height)
    graph = read_and_simplify(network, SPEC)
    assert sum(isinstance(operation, Activate) for operation in before.operations) > 20
    assert not any(isinstance(operation, Activate) for operation in graph.operations)


def test_shuffles_and_slices_move_no_channel_by_themselves() -> None:
    graph = read_and_simplify(network_of("shufflenet"), SPEC)
    kinds = [type(operation) for operation in graph.operations]
    assert kinds.count(Interleave) == 16 and kinds.count(Slice) == 26
    add_borders(graph)
    place_maps(graph)
    left = [type(operation) for operation in graph.operations]
    assert left.count(Interleave) == 16
    assert not {Slice, Concatenate, Copy} & set(left)


def test_maps_that_live_together_share_no_byte(network: NanoDetPlus) -> None:
    graph = read_and_simplify(network, SPEC)
    add_borders(graph)
    places = place_maps(graph)
    memory = plan_memory(graph, places, dict.fromkeys(graph.shapes, 4))
    for one, other in itertools.combinations(memory.buffers.values(), 2):
        apart = one.last < other.first or other.last < one.first
        beside = one.offset + one.size <= other.offset or other.offset + other.size <= one.offset
        assert apart or beside
    assert memory.size < sum(buffer.size for buffer in memory.buffers.values())
    for buffer in memory.buffers.values():
        assert buffer.offset % 64 == 0 and buffer.offset + buffer.size <= memory.output


def test_nothing_that_was_written_is_overwritten_as_room() -> None:
    graph = read_and_simplify(network_of("ghostnet"), SPEC)
    add_borders(graph)
    places = place_maps(graph)
    memory = plan_memory(graph, places, dict.fromkeys(graph.shapes, 4))
    room = leave_room(graph, places, memory)
    written: dict[str, list[tuple[int, int]]] = {}
    for operation in graph.operations:
        place, channels = places[operation.output], graph.shapes[operation.output].channels
        assert room[operation.output] >= channels
        for start, end in written.get(place.buffer, []):
            assert place.start + room[operation.output] <= start or place.start >= end
        written.setdefault(place.buffer, []).append((place.start, place.start + channels))


def test_the_file_holds_every_convolution(network: NanoDetPlus, tmp_path: Path) -> None:
    entry = convert_to_native(network, SPEC, tmp_path, half_weights=True)
    assert entry.files == (FILE,)
    data = (tmp_path / FILE).read_bytes()
    assert census_of_native(tmp_path / FILE) == census(network)
    values, operations = read_tables(data)
    assert (len(values), len(operations)) == HEADER.unpack_from(data)[5:7]
    assert all(operation.weights % 64 == 0 for operation in operations)


def test_the_same_network_gives_the_same_bytes() -> None:
    network = network_of("lite")
    once, again = (serialise(compile_float(read_and_simplify(network, SPEC), True)) for _ in range(2))
    assert once == again


def test_the_border_of_the_picture_is_its_mean() -> None:
    graph = read_and_simplify(network_of("lite"), SPEC)
    [stem] = graph.users(graph.input)
    assert isinstance(stem, Convolution)
    assert graph.input_border == tuple(SPEC.mean)
    assert tuple(stem.pads) == (0, 0, 1, 1)  # TensorFlow's one-sided padding


class _Doubtful(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.stem, self.part = nn.Conv2d(3, 8, 3, 2, 1), part

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.part(self.stem(x)).flatten(2).permute(0, 2, 1)


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (nn.GELU(), r"operation aten.gelu.default, which part needs"),
        (nn.Conv2d(8, 8, 3, dilation=2), "a dilated convolution, which part"),
        (nn.Conv2d(8, 8, 3, groups=4), r"a convolution of 4 groups"),
        (nn.Conv2d(8, 8, (1, 3)), r"a convolution of 1 groups with \(8, 8, 1, 3\) weights"),
        (nn.Upsample(scale_factor=3), "an upsampling by another factor than 2"),
        (nn.PixelShuffle(2), "operation aten.pixel_shuffle.default"),
    ],
)
def test_what_the_engine_does_not_have_is_named_with_its_place(part: nn.Module, named: str) -> None:
    with pytest.raises(ExportError, match=named):
        read_network(_Doubtful(part), 96, 64)


def test_a_depthwise_network_on_the_picture_is_refused() -> None:
    class OnThePicture(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 3, 3, 2, 1, groups=3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.stem(x).flatten(2).permute(0, 2, 1)

    with pytest.raises(ExportError, match="only ordinary convolutions can"):
        read_and_simplify(OnThePicture(), SPEC)


def test_compiling_leaves_the_network_as_it_was() -> None:
    network = network_of("lite")
    before = copy.deepcopy(network.state_dict())
    compile_float(read_and_simplify(network, SPEC), True)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
