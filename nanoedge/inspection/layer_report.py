"""Where two engines part: the maps behind every layer, compared one by one."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nanoedge.bundle import Bundle, load_bundle
from nanoedge.errors import InputError
from nanoedge.files import refuse_existing, write_atomically
from nanoedge.inspection.layer_maps import FloatArray, Layer, LayerEngine, LayerMaps, native_maps, parse_engine
from nanoedge.pictures import Picture, read_picture
from nanoedge.runtime.preprocess import to_input_size

if TYPE_CHECKING:
    from nanoedge.training.checkpoints import Checkpoint

TOLERANCE_OF_FLOAT, TOLERANCE_OF_BYTES = 1e-3, 0.05
"""Shares of a map's spread: of the largest difference between float networks, of the typical one where one is int8."""

Judged = Literal["relative", "typical"]


@dataclass(frozen=True)
class Difference:
    """Of one map.

    Attributes:
        layer: the step of our engine that writes it.
        shape: height, width, channels.
        largest: of all absolute differences.
        relative: the same as a share of the spread of the map that is compared with: from its smallest to its largest
            value, 0 included, as in the parity check.
        typical: root of the mean squared difference, as a share of the spread.
    """

    layer: Layer
    shape: tuple[int, ...]
    largest: float
    relative: float
    typical: float

    def exceeds(self, tolerance: float, judged: Judged = "relative") -> bool:
        """Whether it is larger, or not a number."""
        return not getattr(self, judged) <= tolerance


@dataclass(frozen=True, eq=False)
class LayerReport:
    """What was found.

    Attributes:
        labels: the two engines in words.
        differences: of the maps that both have, in running order.
        alone: names of maps of which the other engine has none.
        tolerance: share of the spread; maps that differ by more have parted.
        judged: which of the differences that is: `typical` where one engine is int8, because that clips outliers.
    """

    labels: tuple[str, str]
    differences: tuple[Difference, ...]
    alone: tuple[str, ...]
    tolerance: float
    judged: Judged = "relative"

    @property
    def parted(self) -> tuple[Difference, ...]:
        """The maps that differ by more than the tolerance."""
        return tuple(each for each in self.differences if each.exceeds(self.tolerance, self.judged))

    @property
    def first(self) -> Difference | None:
        """The first of them."""
        return next(iter(self.parted), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values; `null` for what is not a number."""
        first = self.first
        layers = [
            {
                "layer": each.layer.name,
                "kind": each.layer.kind,
                "map": each.layer.output,
                "shape": list(each.shape),
                **{what: _plain(getattr(each, what)) for what in ("largest", "relative", "typical")},
            }
            for each in self.differences
        ]
        return {
            "engine": self.labels[0],
            "against": self.labels[1],
            "tolerance": self.tolerance,
            "judged": self.judged,
            "first": first.layer.output if first else None,
            "alone": list(self.alone),
            "layers": layers,
        }


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None


def compare_layers(
    model: Path,
    engine: str,
    against: str,
    checkpoint: Path | None = None,
    picture: Path | None = None,
    tolerance: float | None = None,
    threads: int | None = 1,
    dump: Path | None = None,
    force: bool = False,
) -> LayerReport:
    """Run two engines on one picture and compare what they calculate, layer by layer.

    Args:
        model: a bundle's folder, or a checkpoint, whose network is then compiled in float32 for our engine.
        engine: `torch`, `native`, `native:int8`, `native:float:scalar`, …
        against: the engine that is compared with.
        checkpoint: whose network the bundle holds; needed for `torch`.
        picture: the input; `None` takes the bundle's sample, for a checkpoint a synthetic picture.
        tolerance: share of a map's spread; `None` is 0 between int8 networks, 0.05 where one is int8, else 0.001.
        threads: of our engine; `None` takes all CPUs that this process may use.
        dump: write all maps of both engines into this `.npz` file.
        force: replace a file that is there.

    Raises:
        InputError: for engines that do not show their layers, a missing checkpoint, a file that exists.
        BundleError: when the bundle lacks a model, or is damaged.
        CheckpointError: when the checkpoint cannot be read.
        ExportError: when our engine does not have an operation of the checkpoint's network.
    """
    engines = parse_engine(engine), parse_engine(against)
    _check_request(engines, engine, tolerance)
    if dump is not None:
        if dump.suffix != ".npz":
            raise InputError(f"The maps are written as NumPy's .npz; --dump {dump} has another suffix.")
        refuse_existing(dump, force)
    with ExitStack() as stack:
        bundle, source = _open(model, checkpoint, engines, stack)
        pixels = _picture_of(bundle, picture, is_compiled=not model.is_dir())
        of_native = {each: native_maps(bundle, each, pixels, threads) for each in engines if each.name == "native"}
        if source is not None:
            from nanoedge.inspection.torch_maps import torch_maps

            is_half = any(maps.half_weights for maps in of_native.values())
            of_torch = torch_maps(source, bundle.manifest.input, pixels, is_half)
        found = [of_native[each] if each.name == "native" else of_torch for each in engines]
    if dump is not None:
        write_atomically(dump, _packed(engine, found[0], against, found[1]))
    if tolerance is None:
        bytes_of = [maps.is_bytes for maps in found]
        tolerance = 0.0 if all(bytes_of) else TOLERANCE_OF_BYTES if any(bytes_of) else TOLERANCE_OF_FLOAT
    return compare(found[0], found[1], tolerance)


def compare(found: LayerMaps, expected: LayerMaps, tolerance: float) -> LayerReport:
    """Differences of the maps that both have; the steps are those of the first engine that has any."""
    judged: Judged = "typical" if found.is_bytes != expected.is_bytes else "relative"
    differences, alone = [], []
    for layer in found.layers or expected.layers:
        mine, other = (_map_of(maps, layer) for maps in (found, expected))
        if mine is None or other is None or mine.shape != other.shape:
            alone.append(layer.output)
            continue
        differences.append(_difference(layer, mine, other))
    return LayerReport((found.label, expected.label), tuple(differences), tuple(alone), tolerance, judged)


def _map_of(maps: LayerMaps, layer: Layer) -> FloatArray | None:
    return maps.maps.get(layer.output, maps.maps.get(layer.same_as))


def _difference(layer: Layer, mine: FloatArray, other: FloatArray) -> Difference:
    apart = mine.astype(np.float64) - other
    largest = float(np.abs(apart).max())
    unit = max(float(other.max()), 0.0) - min(float(other.min()), 0.0) or 1.0
    return Difference(layer, mine.shape, largest, largest / unit, float(np.sqrt((apart**2).mean())) / unit)


def _check_request(engines: Sequence[LayerEngine], text: str, tolerance: float | None) -> None:
    if engines[0] == engines[1]:
        raise InputError(f"{text} would be compared with itself; give another engine to --against.")
    if tolerance is not None and not tolerance >= 0:
        raise InputError(f"The tolerance is a share of a map's spread, not {tolerance}.")


def _open(
    model: Path, checkpoint: Path | None, engines: Sequence[LayerEngine], stack: ExitStack
) -> tuple[Bundle, Checkpoint | None]:
    """The bundle, and the checkpoint if PyTorch takes part."""
    with_torch = any(each.name == "torch" for each in engines)
    if not model.is_file():
        bundle = load_bundle(model)
        if not with_torch:
            return bundle, None
        if checkpoint is None:
            raise InputError(f"A bundle has no PyTorch network: name the one that {model} was made of by --checkpoint.")
        source = _read(checkpoint)
        if source.classes != bundle.manifest.classes:
            raise InputError(f"{checkpoint} has other classes than {model}: it is not the network of this bundle.")
        return bundle, source
    if checkpoint is not None:
        raise InputError(f"{model} is a checkpoint itself; --checkpoint goes with a bundle.")
    if any(each.precision == "int8" for each in engines):
        raise InputError(f"{model} is a checkpoint and has no int8 weights; give a bundle with an int8 model.")
    from nanoedge.inspection.torch_maps import compiled_bundle

    source = _read(model)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nanoedge-"))
    return compiled_bundle(source, Path(folder)), source if with_torch else None


def _read(checkpoint: Path) -> Checkpoint:
    from nanoedge.training.checkpoints import load_checkpoint

    return load_checkpoint(checkpoint)


def _picture_of(bundle: Bundle, picture: Path | None, is_compiled: bool) -> Picture:
    if picture is None and is_compiled:
        from nanoedge.export.export import shipped_pictures
        from nanoedge.pictures import list_pictures

        picture = list_pictures(shipped_pictures())[0]
    if picture is None:
        bundle.verify([bundle.manifest.sample.picture])
        picture = bundle.path(bundle.manifest.sample.picture)
    return np.ascontiguousarray(to_input_size(read_picture(picture), bundle.manifest.input)[0])


def _packed(engine: str, found: LayerMaps, against: str, expected: LayerMaps) -> bytes:
    """All maps as `ENGINE/MAP`."""
    stream = io.BytesIO()
    named = [(engine, found), (against, expected)]
    np.savez(stream, **{f"{text}/{name}": values for text, maps in named for name, values in maps.maps.items()})  # type: ignore[arg-type]
    return stream.getvalue()
