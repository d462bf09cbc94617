"""PyTorch to ncnn through TorchScript and pnnx."""

from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.config.interface import InputSpec
from nanoedge.errors import ExportError
from nanoedge.export.strip import Census

INPUT, OUTPUT = "in0", "out0"
TIMEOUT_SECONDS = 300
# Layers that hold a convolution's weights, and the parameter with their number; 1 x 1 convolutions of pooled features
# (in squeeze-excite) become inner products.
_WEIGHT_COUNTS = {"Convolution": "6", "ConvolutionDepthWise": "6", "InnerProduct": "2"}


def convert_to_ncnn(network: nn.Module, spec: InputSpec, folder: Path, half_weights: bool) -> EngineEntry:
    """Write `model.ncnn.param` and `model.ncnn.bin`.

    Args:
        network: the stripped network.
        spec: of the input.
        folder: where the files go.
        half_weights: store weights in fp16.

    Raises:
        ExportError: when pnnx fails; its last lines are quoted.
    """
    param, weights = folder / "model.ncnn.param", folder / "model.ncnn.bin"
    with tempfile.TemporaryDirectory(prefix="nanoedge-pnnx-") as work:
        traced = Path(work) / "model.pt"
        _trace(network, spec.width, spec.height, traced)
        _run_pnnx(traced, spec.width, spec.height, half_weights)
        for name in (param.name, weights.name):
            made = Path(work) / name
            if not made.is_file():
                raise ExportError(f"pnnx did not write {name}; the network holds a layer that ncnn does not know.")
            (folder / name).write_bytes(made.read_bytes())
    return EngineEntry(
        engine="ncnn", precision="float", files=(param.name, weights.name), input=INPUT, outputs=(OUTPUT,)
    )


def census_of_ncnn(param: Path) -> Census:
    """Count the convolutions of a `.param` file and their weights."""
    convolutions = weights = 0
    for line in param.read_text().splitlines()[2:]:
        words = line.split()
        if words and words[0] in _WEIGHT_COUNTS:
            settings = dict(word.split("=", 1) for word in words[4:] if "=" in word)
            convolutions += 1
            weights += int(settings[_WEIGHT_COUNTS[words[0]]])
    return Census(convolutions, weights)


def _trace(network: nn.Module, width: int, height: int, path: Path) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, torch.zeros(1, 3, height, width), check_trace=False)  # type: ignore[no-untyped-call]
        traced.save(str(path))


def _run_pnnx(traced: Path, width: int, height: int, half_weights: bool) -> None:
    try:
        import pnnx
    except ImportError as error:
        raise ExportError("The ncnn export needs pnnx: pip install 'nanoedge[export]'.") from error
    command = [
        pnnx.EXEC_PATH,
        traced.name,
        f"inputshape=[1,3,{height},{width}]f32",
        f"fp16={int(half_weights)}",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    try:
        done = subprocess.run(
            command, cwd=traced.parent, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExportError(f"pnnx could not be run: {error}.") from error
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise ExportError(f"pnnx failed with status {done.returncode}: {' / '.join(lines[-3:])}")
