"""Counting under emulation."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from tools.cross.compile import BUILD
from tools.cross.targets import TARGETS
from tools.instructions.layers import CountedLayer, count_layers, kinds_of
from tools.instructions.measure import (
    STAGES,
    WHOLE_FRAME,
    CacheSize,
    Count,
    beside,
    count,
    parse_counts,
    plugin,
    stages_program,
    total,
)

TARGET = TARGETS["aarch64"]


@pytest.fixture(scope="module")
def program() -> Path:
    missing = [name for name in ("aarch64-linux-gnu-g++", "qemu-aarch64", "cc") if shutil.which(name) is None]
    if missing:
        required = os.environ.get("NANOEDGE_REQUIRE_CROSS") == "1"
        (pytest.fail if required else pytest.skip)(f"needs {', '.join(missing)}")
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{BUILD}.lock"):
        plugin()
        return stages_program(TARGET)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["ncnn", "native"])
def test_counts_are_the_same_every_time(small_bundle: Path, program: Path, engine: str) -> None:
    first, again = (
        {
            stage: count(TARGET, "cortex-a72", program, small_bundle, stage, "--engine", engine)
            for stage in (*STAGES, WHOLE_FRAME)
        }
        for _ in range(2)
    )
    assert first == again
    for each in first.values():
        assert each.instructions > each.reads > 0 and each.instructions > each.writes > 0
        assert each.instructions <= sum(each.classes.values()) and "dot" not in each.classes
    # A 96x64 network reads a frame of 640x480: the rows that it needs, more than a million pixels' values.
    assert first["forward"].instructions > first["preprocess"].instructions > 100_000


@pytest.mark.slow
def test_layers_are_counted_apart(small_bundle: Path, program: Path) -> None:
    """Their sum is the forward pass, and each multiplies as much as its shape says."""
    caches = CacheSize(32 * 1024, 2), CacheSize(1024 * 1024, 16)
    network = count_layers(TARGET, "cortex-a72", program, small_bundle, "float", caches)
    forward = count(TARGET, "cortex-a72", program, small_bundle, "forward", "--engine", "native")
    assert network.kernels == "neon"
    whole = total([layer.count for layer in network.layers])
    assert whole.instructions == pytest.approx(forward.instructions, rel=0.1)
    assert whole.misses["l1_misses"] + whole.misses["l1_in_order"] > 100
    convolutions = [layer for layer in network.layers if layer.kind == "convolution 1x1"]
    assert len(convolutions) > 20
    for layer in convolutions:
        lanes = 4 * layer.count.classes["fp_multiply_add"]
        assert layer.multiply_adds <= lanes <= 3 * layer.multiply_adds, layer
    kinds = kinds_of(network.layers)
    assert sum(kind.count.instructions for kind in kinds) == whole.instructions
    assert kinds[0].kind == "convolution 1x1"


def test_what_the_plugin_says_is_read_by_mark() -> None:
    names = "instructions reads writes l1_misses l1_in_order l2_misses l2_in_order branch dot"
    text = f"qemu: hello\ncounted mark {names}\ncounted 0 9 1 1 0 0 0 0 1 0\ncounted 3 7 2 1 4 5 6 7 0 8\n"
    found = parse_counts(text)
    assert set(found) == {0, 3} and found[0].classes == {"branch": 1}
    misses = {"l1_misses": 4, "l1_in_order": 5, "l2_misses": 6, "l2_in_order": 7}
    assert found[3] == Count(7, 2, 1, {"dot": 8}, misses)
    assert parse_counts("qemu: no plugin") == {}


def test_counts_add_up_and_part() -> None:
    one, other = Count(5, 2, 1, {"dot": 3}, {"l1_misses": 1}), Count(7, 1, 1, {"dot": 1, "zip": 4}, {"l1_misses": 2})
    both = total([one, other])
    assert both == Count(12, 3, 2, {"dot": 4, "zip": 4}, {"l1_misses": 3})
    assert beside(both, one) == Count(7, 1, 1, {"dot": 1, "zip": 4}, {"l1_misses": 2})
    assert beside(one, both).instructions == 0


def test_kinds_hold_their_layers() -> None:
    layers = [CountedLayer(str(number), kind, "", 5, Count(number, 0, 0)) for number, kind in enumerate("abab")]
    (b, a) = kinds_of(layers)
    assert (b.kind, b.name, b.multiply_adds, b.count.instructions) == ("b", "2 layers", 10, 4)
    assert (a.kind, a.count.instructions) == ("a", 2)
