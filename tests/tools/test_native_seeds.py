"""What the fuzzer of our own engine's format starts from."""

from __future__ import annotations

import pytest
from nanoedge.export.native.serialise import (
    DEPTHWISE,
    FLOAT16,
    FLOAT32,
    HEADER,
    INT8,
    KINDS,
    NEAREST,
    OperationRecord,
    read_tables,
)
from tools.native_seeds import ACTIVATIONS, CHANNELS, native_seeds


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    return native_seeds()


def operations_of(data: bytes) -> list[OperationRecord]:
    return read_tables(data)[1]


def test_seeds_are_small_and_fit_the_fuzzers_manifest(seeds: dict[str, bytes]) -> None:
    assert len(seeds) == 3 * len(ACTIVATIONS)
    for data in seeds.values():
        assert len(data) < 30_000
        assert HEADER.unpack_from(data)[9:11] == (CHANNELS, CHANNELS)  # priors of strides 8 and 32; 2 classes


@pytest.mark.parametrize("stored", ["float32", "float16", "int8"])
def test_every_operation_is_in_the_seeds_of_each_kind_of_weights(seeds: dict[str, bytes], stored: str) -> None:
    found = {each.kind for name, data in seeds.items() if name.endswith(stored) for each in operations_of(data)}
    wanted = {*KINDS.values(), DEPTHWISE, NEAREST}
    missing = wanted - found
    # an activation by itself is left in int8 only, where it is looked up
    assert missing <= ({9} if stored != "int8" else set())


def test_some_maps_of_bytes_have_exponents(seeds: dict[str, bytes]) -> None:
    files = [data for name, data in seeds.items() if name.endswith("int8")]
    assert any(value.exponents for data in files for value in read_tables(data)[0])


def test_weights_are_stored_as_the_name_says(seeds: dict[str, bytes]) -> None:
    numbers = {"float32": {FLOAT32}, "float16": {FLOAT32, FLOAT16}, "int8": {FLOAT32, INT8}}
    for name, data in seeds.items():
        found = {each.stored for each in operations_of(data) if each.weights and each.kind in (1, DEPTHWISE)}
        assert found == numbers[name.rsplit("-", 1)[1]]
