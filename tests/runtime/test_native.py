"""Our own engine step by step, through the core's binding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanoedge import Detector
from nanoedge.bundle import load_bundle
from nanoedge.errors import BundleError, InputError
from nanoedge.pictures import read_picture
from nanoedge.runtime.native import kind_of, load_native
from nanoedge.runtime.preprocess import to_input_size


@pytest.fixture
def pixels(small_bundle: Path) -> np.ndarray:
    bundle = load_bundle(small_bundle)
    return to_input_size(read_picture(bundle.path("sample.png")), bundle.manifest.input)[0]


def test_steps_say_what_they_calculate_and_move(small_bundle: Path) -> None:
    steps = load_native(load_bundle(small_bundle)).steps
    first = steps[0]
    assert (kind_of(first), first["stride"], first["inputs"]) == ("convolution 3x3", 2, ["pictures"])
    height, width, channels = first["shape"]
    assert (height, width) == (32, 48)
    assert first["multiply_adds"] == 9 * 3 * channels * height * width
    assert first["read"] == 4 * 3 * 64 * 96
    assert first["written"] == 4 * channels * height * width
    assert first["weights"] == 4 * (27 * channels + channels)
    assert not first["half_weights"]
    assert any(step["half_weights"] for step in steps[1:])
    for step in steps:
        convolves = step["kind"] in ("convolution", "depth-wise")
        assert (step["multiply_adds"] > 0) == convolves == (step["weights"] > 0)
        assert step["element"] == step["input_element"] == "float32"


def test_a_run_gives_what_detection_gives(small_bundle: Path, pixels: np.ndarray) -> None:
    network = load_native(load_bundle(small_bundle), threads=2)
    detector = Detector(small_bundle, "native", threads=2)
    expected = detector.forward(detector.preprocess(pixels)[0])[0]
    assert network.threads == 2
    assert np.abs(network.run(pixels) - expected).max() <= 1e-4 * np.abs(expected).max()


def test_maps_are_those_of_each_step(small_bundle: Path, pixels: np.ndarray) -> None:
    network = load_native(load_bundle(small_bundle))
    once, again = network.maps(pixels), network.maps(pixels)
    assert [values.shape for values in once] == [step["shape"] for step in network.steps]
    assert all(np.array_equal(one, other) for one, other in zip(once, again, strict=True))
    output = network.run(pixels)
    levels = [values for values in once if values.shape[2] == output.shape[1]]
    assert np.array_equal(np.concatenate([level.reshape(-1, output.shape[1]) for level in levels[-4:]]), output)


def test_times_and_peak_are_measured(small_bundle: Path, pixels: np.ndarray) -> None:
    network = load_native(load_bundle(small_bundle))
    seconds = network.times(pixels, 3)
    assert seconds.shape == (3, len(network.steps))
    assert (seconds >= 0).all()
    assert 0 < seconds.sum() < 10
    assert network.peak("float32") > 1e7
    assert network.peak("uint8") > 1e7


def test_what_does_not_fit_is_refused(small_bundle: Path, pixels: np.ndarray) -> None:
    bundle = load_bundle(small_bundle)
    with pytest.raises(BundleError, match="no native model in int8"):
        load_native(bundle, "int8")
    with pytest.raises(InputError, match=r"Unknown kernels 'avx1024'; known: .*scalar"):
        load_native(bundle, kernels="avx1024")
    with pytest.raises(InputError, match="number of threads"):
        load_native(bundle, threads=-1)
    network = load_native(bundle, kernels="scalar")
    assert network.kernels == "scalar"
    for wrong in (pixels[1:], pixels[:, :, :2], pixels.astype(np.float32), pixels[:, :, 0]):
        with pytest.raises(InputError, match=r"must be uint8 \[64, 96, 3\]"):
            network.maps(wrong)
    with pytest.raises(InputError, match="rounds must be at least 1"):
        network.times(pixels, 0)
    with pytest.raises(InputError, match="Unknown element 'int4'; known: float32, uint8"):
        network.peak("int4")


def test_kernels_are_taken_by_name_or_refused_with_the_reason(small_bundle: Path) -> None:
    bundle, said = load_bundle(small_bundle), {}
    for kernels in ("avx2", "avx-vnni", "avx512", "avx512-vnni"):
        try:
            said[kernels] = load_native(bundle, kernels=kernels).kernels
        except InputError as error:
            said[kernels] = str(error)
    for kernels, text in said.items():
        assert text == kernels or text.startswith(("This CPU lacks", "Unknown kernels"))
