"""Where two engines part: whole networks against PyTorch, layer by layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from nanoedge.bundle import Bundle
from nanoedge.config.interface import InputSpec
from nanoedge.config.load import load_config
from nanoedge.data.synthetic import CLASSES
from nanoedge.errors import InputError
from nanoedge.inspection.layer_maps import Layer, LayerEngine, LayerMaps, native_maps, parse_engine
from nanoedge.inspection.layer_report import compare, compare_layers
from nanoedge.inspection.torch_maps import torch_maps
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.pictures import write_picture
from nanoedge.training.checkpoints import load_checkpoint, save_imported
from tests.export.native.small_bundles import bundle_of, compiled_float, compiled_int8, random_picture
from tests.export.native.test_compile import SPEC, network_of

SMALLER = (
    "demo",
    "nanodet-plus-m-0.5x_320",
    "nanodet-plus-m_320",
    "nanodet-plus-ghost_320",
    "nanodet-plus-efficientnet-lite0_320",
)
"""Of each shipped backbone the smaller configurations."""

TOLERANCE = 1e-4
"""Share of a map's spread: hundreds of float32 sums in another order lie below a tenth of it."""


def checkpoint_of(config_name: str, place: Path) -> Path:
    """Random weights, and statistics that leave signals of ordinary size."""
    torch.manual_seed(0)
    settings = ["input.width=128", "input.height=96", "classes=null", "model.agm.enabled=false"]
    config = load_config(config_name, settings)
    model = NanoDetPlus(config.model, len(CLASSES)).train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, 3, 96, 128))
    save_imported(place, config, CLASSES, model.state_dict())
    return place


@pytest.mark.parametrize("name", SMALLER)
def test_every_layer_of_a_shipped_configuration_calculates_what_pytorch_does(name: str, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(name, tmp_path / "random.ckpt")
    report = compare_layers(checkpoint, "native", "torch", tolerance=TOLERANCE)
    assert not report.alone
    assert report.first is None, report.first
    assert len(report.differences) > 60
    assert all(each.typical <= each.relative for each in report.differences)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A small network in both precisions."""
    return in_both_precisions("shufflenet", tmp_path_factory.mktemp("both"))


def in_both_precisions(backbone: str, folder: Path) -> Bundle:
    network = network_of(backbone)
    compiled = {"float": compiled_float(network, SPEC), "int8": compiled_int8(network, SPEC)}
    return bundle_of(folder / "both.nanoedge", SPEC, compiled)


def test_int8_is_near_float_in_every_layer(both) -> None:
    picture = random_picture(SPEC, 1)
    of_bytes, of_floats = (native_maps(both, LayerEngine("native", each), picture) for each in ("int8", "float"))
    report = compare(of_bytes, of_floats, 0.05)
    assert not report.alone
    assert report.judged == "typical"
    assert report.first is None, report.first
    assert max(each.typical for each in report.differences) > 1e-4
    assert max(each.relative for each in report.differences) > 0.02
    assert of_bytes.is_bytes and not of_floats.is_bytes


def test_factors_of_means_are_taken_back(tmp_path: Path) -> None:
    """GhostNet calculates with the means of a map's channels, in float32."""
    both, picture = in_both_precisions("ghostnet", tmp_path), random_picture(SPEC, 1)
    found = [native_maps(both, LayerEngine("native", each), picture) for each in ("int8", "float")]
    report = compare(found[0], found[1], 0.05)
    assert "mean" in {each.layer.kind for each in report.differences}
    assert report.first is None, report.first


@pytest.mark.parametrize("precision", ["float", "int8"])
def test_kernels_agree_layer_by_layer(both, precision: str, tmp_path: Path) -> None:
    words = f"native:{precision}", f"native:{precision}:scalar"
    picture = tmp_path / "picture.png"

    write_picture(picture, random_picture(SPEC, 5))
    report = compare_layers(both.folder, *words, picture=picture, dump=tmp_path / "maps.npz")
    assert report.first is None, report.first
    assert report.tolerance == (0 if precision == "int8" else 1e-3)
    with np.load(tmp_path / "maps.npz") as written:
        assert len(written.files) == 2 * len(report.differences)
        name = report.differences[-1].layer.output
        assert written[f"{words[0]}/{name}"].shape == report.differences[-1].shape


def test_the_first_layer_that_parts_is_found() -> None:
    layers = tuple(Layer(f"layer{n}", "sum", f"map{n}", f"map{n}") for n in range(4))
    expected = {f"map{n}": np.linspace(0, 10, 12, dtype=np.float32).reshape(2, 2, 3) for n in range(4)}
    found = {name: values.copy() for name, values in expected.items()}
    found["map1"][0, 0, 0] += 0.5
    found["map2"][1, 1, 1] = np.nan
    report = compare(LayerMaps("one", found, layers), LayerMaps("other", expected), 0.01)
    assert [each.exceeds(0.01) for each in report.differences] == [False, True, True, False]
    first = report.first
    assert first is not None and first.layer.output == "map1"
    assert first.largest == 0.5 and abs(first.relative - 0.05) < 1e-6
    assert abs(first.typical - 0.05 / np.sqrt(12)) < 1e-6
    document = report.as_json()
    assert document["first"] == "map1" and document["layers"][2]["relative"] is None


def test_a_map_far_from_zero_is_judged_by_its_size() -> None:
    layers = (Layer("a", "sum", "map", "map"),)
    report = compare(
        LayerMaps("one", {"map": np.full((1, 1, 2), 4.0, np.float32)}, layers),
        LayerMaps("other", {"map": np.full((1, 1, 2), 5.0, np.float32)}),
        0.1,
    )
    assert abs(report.differences[0].relative - 0.2) < 1e-6


def test_a_copy_is_compared_with_what_it_copies() -> None:
    values = np.ones((1, 1, 1), np.float32)
    layers = (Layer("a", "copy", "map_bordered", "map"), Layer("b", "sum", "elsewhere", "elsewhere"))
    mine = LayerMaps("one", {"map_bordered": values, "elsewhere": values}, layers)
    report = compare(mine, LayerMaps("other", {"map": values}), 0)
    assert [each.layer.output for each in report.differences] == ["map_bordered"]
    assert report.alone == ("elsewhere",)


def test_engines_are_named_in_one_way() -> None:
    assert parse_engine("torch") == LayerEngine("torch")
    assert parse_engine("native") == LayerEngine("native", "float", "")
    assert parse_engine("native:int8:avx2") == LayerEngine("native", "int8", "avx2")
    for wrong in ("onnx", "native:int4", "torch:float", "native:int8:scalar:more"):
        with pytest.raises(InputError, match="does not show its layers; native, native:int8"):
            parse_engine(wrong)


def test_requests_that_make_no_sense_are_refused(both, tmp_path: Path) -> None:
    checkpoint = checkpoint_of("demo", tmp_path / "random.ckpt")
    with pytest.raises(InputError, match="compared with itself"):
        compare_layers(both.folder, "native", "native:float")
    with pytest.raises(InputError, match=r"name the one that .*both.nanoedge was made of by --checkpoint"):
        compare_layers(both.folder, "native", "torch")
    with pytest.raises(InputError, match="other classes"):
        compare_layers(both.folder, "native", "torch", checkpoint)
    with pytest.raises(InputError, match="is a checkpoint itself"):
        compare_layers(checkpoint, "native", "torch", checkpoint)
    with pytest.raises(InputError, match="has no int8 weights"):
        compare_layers(checkpoint, "native:int8", "torch")
    with pytest.raises(InputError, match="share of a map's spread"):
        compare_layers(checkpoint, "native", "torch", tolerance=-1.0)
    with pytest.raises(InputError, match="another suffix"):
        compare_layers(checkpoint, "native", "torch", dump=tmp_path / "maps.npy")


def test_pytorch_takes_the_weights_that_the_file_holds(tmp_path: Path) -> None:

    source = load_checkpoint(checkpoint_of("demo", tmp_path / "random.ckpt"))
    spec = source.config.interface(source.classes).input
    picture = random_picture(InputSpec(width=spec.width, height=spec.height), 1)
    whole, half = (torch_maps(source, spec, picture, is_half) for is_half in (False, True))
    assert any(not np.array_equal(whole.maps[name], half.maps[name]) for name in whole.maps)
