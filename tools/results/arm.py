"""ARM by emulation: boxes against x86, sizes, instructions: python -m tools.results.arm."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nanoedge.detections import Detections
from nanoedge.evaluation.agreement import MAX_UNMATCHED_SHARE, SCORE_OF_TWIN, agreement
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector

from tools.cross.compile import compile_target, install_executables, module_of
from tools.cross.emulation import CPUS, detect
from tools.cross.targets import PYTHONS, TARGETS
from tools.cross.wheels import assemble, pure_wheel
from tools.instructions import measure
from tools.instructions.measure import STAGES, plugin, stages_program
from tools.results.bundles import published_bundle
from tools.results.figures import Figure, at_most, publish, shared_folder

PICTURES = 50
PICTURES_IN_FP16 = 6
LARGEST_EXECUTABLE = {"aarch64": 4.0, "armv7": 3.0}  # MB
LARGEST_WHEEL = 8.0  # MB
LARGEST_SHARE = 5.0  # % of a frame's instructions that may lie outside the network
COUNTED = {"aarch64": "cortex-a72", "armv7": "cortex-a15"}


def main() -> None:
    """Build, compare, count."""
    pictures = list_pictures(shared_folder() / "data" / "coco_open300" / "images")[:PICTURES]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bundle = published_bundle(work)
        here = Detector(bundle, "ncnn", threads=1, score_threshold=SCORE_OF_TWIN)
        wanted = [here(read_picture(picture)) for picture in pictures]
        programs = {
            name: install_executables(compile_target(TARGETS[name]), work / name) / "bin" for name in LARGEST_EXECUTABLE
        }

        def found(cpu: str, compute: str = "fp32", count: int = PICTURES) -> list[Detections]:
            target = TARGETS[CPUS[cpu]]
            program = programs[target.name] / "nanoedge-detect"
            options = ["--score", str(SCORE_OF_TWIN), "--threads", "1", "--compute", compute]
            return detect(target, cpu, program, bundle, pictures[:count], *options)

        with ThreadPoolExecutor(2) as pool:
            half = pool.submit(found, "cortex-a76", "fp16", PICTURES_IN_FP16)  # QEMU is slow at it
            for cpu, there in zip(CPUS, pool.map(found, CPUS), strict=True):
                report = agreement(wanted, there)
                limit = int(MAX_UNMATCHED_SHARE * report.boxes)
                figures.append(Figure(f"{cpu}: boxes compared", report.boxes))
                figures.append(at_most(f"{cpu}: boxes without a twin on x86", report.unmatched, limit))
        report = agreement(wanted[:PICTURES_IN_FP16], half.result(), "fp16")
        title = (
            f"cortex-a76 in fp16: of {report.boxes} boxes in {PICTURES_IN_FP16} pictures without a twin on x86 in fp32"
        )
        figures.append(Figure(title, report.unmatched))
        for name, limit in LARGEST_EXECUTABLE.items():
            size = (programs[name] / "nanoedge-detect").stat().st_size / 1e6
            figures.append(at_most(f"{name}: static nanoedge-detect", round(size, 2), limit, "MB"))
        for name in ("aarch64", "x86_64"):
            build = compile_target(TARGETS[name], PYTHONS)
            for version in PYTHONS:
                wheel = assemble(pure_wheel(work), module_of(build, version), version, TARGETS[name], work / "wheels")
                size = round(wheel.stat().st_size / 1e6, 2)
                figures.append(at_most(f"{name}: wheel for Python {version}", size, LARGEST_WHEEL, "MB"))
        plugin()
        for name, cpu in COUNTED.items():
            program = stages_program(TARGETS[name])
            counts = {stage: measure.count(TARGETS[name], cpu, program, bundle, stage).instructions for stage in STAGES}
            whole = sum(counts.values())
            for stage, number in counts.items():
                figures.append(Figure(f"{cpu}: instructions of a frame's {stage}", round(number / 1e6, 2), "million"))
            share = round(100 * (1 - counts["forward"] / whole), 2)
            title = f"{cpu}: instructions outside the network"
            figures.append(
                at_most(title, share, LARGEST_SHARE, "%") if name == "aarch64" else Figure(title, share, "%")
            )
    publish(figures, f"Plus-m 320 with ncnn, fp32, under QEMU; {PICTURES} pictures of coco_open300; a 640x480 frame")


if __name__ == "__main__":
    main()
