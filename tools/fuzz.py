"""Runs fuzzers for some seconds from seeds that are valid: python -m tools.fuzz BUILD_FOLDER SECONDS [TARGET …]."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.native_seeds import native_seeds
from tools.sanitize import make_bundle

TARGETS = ("manifest", "native_model", "ncnn_model", "openvino_model", "image")
WITH_A_BUNDLE = ("manifest", "ncnn_model", "openvino_model")
"""Those whose seeds are files of a bundle."""


def main(arguments: list[str]) -> int:
    """Status 1 when a fuzzer finds something; the input that shows it stays in the build folder."""
    build, seconds, targets = Path(arguments[0]), int(arguments[1]), arguments[2:] or TARGETS
    if unknown := sorted(set(targets) - set(TARGETS)):
        sys.exit(f"Unknown fuzzer {unknown[0]!r}; known: {', '.join(TARGETS)}.")
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        bundle = make_bundle(Path(folder)) if set(targets) & set(WITH_A_BUNDLE) else Path(folder)
        known_leaks = Path(folder) / "known-leaks"
        known_leaks.write_text("leak:libomp\n")  # LLVM's OpenMP keeps its threads' records until the process ends
        environment = {**os.environ, "LSAN_OPTIONS": f"suppressions={known_leaks}:print_suppressions=0"}
        for target in targets:
            corpus, seeds = build / "corpus" / target, Path(folder) / target
            corpus.mkdir(parents=True, exist_ok=True)
            seeds.mkdir()
            write_seeds(target, bundle, seeds)
            found = build / f"finding-{target}-"
            command = [
                build / "fuzz" / f"fuzz-{target}", corpus, seeds, f"-max_total_time={seconds}", "-max_len=65536",
                f"-artifact_prefix={found}", "-print_final_stats=1", "-rss_limit_mb=4096", "-timeout=30",
            ]  # fmt: skip
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, errors="replace", check=False
            )
            runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
            verdict = "no finding" if done.returncode == 0 else "FINDING"
            print(f"{target}: {verdict}, {runs.group(1) if runs else '?'} inputs in {seconds} s", flush=True)
            if done.returncode:
                failed.append(target)
                print(done.stderr[-4000:], file=sys.stderr)
    return 1 if failed else 0


def write_seeds(target: str, bundle: Path, seeds: Path) -> None:
    """Valid inputs, from which mutation starts."""
    if target == "manifest":
        document = json.loads((bundle / "manifest.json").read_text())
        (seeds / "whole").write_text(json.dumps(document))
        for key, value in document.items():
            (seeds / key).write_text(json.dumps({key: value}))
    elif target == "native_model":
        for name, data in native_seeds().items():
            (seeds / name).write_bytes(data)
    elif target == "ncnn_model":
        param, weights = (bundle / name for name in ("model.ncnn.param", "model.ncnn.bin"))
        (seeds / "whole").write_bytes(param.read_bytes() + b"\0" + weights.read_bytes())
        (seeds / "tiny").write_bytes(TINY.encode() + b"\0" + struct.pack("<I", 0x01306B47) + bytes(204 + 136))
        weights = b"".join(bytes(4 + 4 * count) for count in (432, 400, 64, 64, 272))
        (seeds / "own").write_bytes(OWN_LAYERS.encode() + b"\0" + weights)
    elif target == "openvino_model":
        shutil.copy(bundle / "model.xml", seeds / "whole")
        (seeds / "tiny").write_text(TINY_XML)
    else:
        for kind in range(7):
            (seeds / str(kind)).write_bytes(struct.pack("<BBhhhh", kind, kind % 2, 16, 8, 0, 0) + bytes(range(256)) * 3)


# An input of 64 x 32 pixels to 34 priors of 34 channels, as the fuzzers' manifest says.
TINY = """7767517
9 10
Input in0 0 1 in0
Convolution a 1 1 in0 a 0=34 1=1 3=8 5=1 6=102 9=2 -23310=1,0.1
Split s 1 2 a a1 a2
Pooling p 1 1 a1 p 0=0 1=4 2=4 5=1
Reshape r1 1 1 a2 r1 0=32 1=34
Reshape r2 1 1 p r2 0=2 1=34
Concat c 2 1 r1 r2 c 0=1
Permute t 1 1 c t 0=1
ReLU o 1 1 t out0 0=0.1
"""
# The same sizes, with the pieces that layers of ours stand in for.
OWN_LAYERS = """7767517
17 19
Input in0 0 1 in0
Convolution a 1 1 in0 a 0=16 1=3 3=2 4=1 5=0 6=432 9=2 -23310=1,0.1
Pooling b 1 1 a b 0=0 1=3 2=2 3=1 5=1
ConvolutionDepthWise c 1 1 b c 0=16 1=5 3=2 4=2 5=0 6=400 7=16
Split d 1 2 c d1 d2
Convolution e 1 1 d1 e 0=4 1=1 5=0 6=64
Convolution f 1 1 d2 f 0=4 1=1 5=0 6=64
Concat g 2 1 e f g 0=0
ShuffleChannel h 1 1 g h 0=2
Convolution i 1 1 h i 0=34 1=1 5=0 6=272
Split s 1 2 i a1 a2
Pooling p 1 1 a1 p 0=0 1=4 2=4 5=1
Reshape r1 1 1 a2 r1 0=32 1=34
Reshape r2 1 1 p r2 0=2 1=34
Concat j 2 1 r1 r2 j 0=1
Permute t 1 1 j t 0=1
ReLU o 1 1 t out0 0=0.1
"""
TINY_XML = """<?xml version="1.0"?><net name="m" version="11"><layers>
<layer id="0" name="data" type="Parameter" version="opset1"><data shape="1,3,32,64" element_type="f32" /></layer>
<layer id="1" name="w" type="Const" version="opset1">
<data element_type="f16" shape="2, 3" offset="4" size="12" /></layer>
<layer id="2" name="output" type="Result" version="opset1" /></layers><edges>
<edge from-layer="0" from-port="0" to-layer="2" to-port="0" /></edges></net>
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
