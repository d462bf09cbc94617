"""Run benchmarks and write docs/results.md: python -m tools.results [NAME …]; `--render` only writes the page."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from typing import Any

from nanoedge.machine import machine

from tools.results.figures import REPOSITORY

# name: (title, arguments of `python`)
BENCHMARKS: dict[str, tuple[str, list[str]]] = {
    "commands": ("Whole commands", ["-m", "tools.results.commands"]),
    "train-step": ("One training step", ["-m", "tools.results.train_step"]),
    "train-compile": ("torch.compile in a training step", ["-m", "tools.results.train_compile"]),
    "train-memory": ("Memory of a training step", ["-m", "tools.results.train_memory"]),
    "accuracy-320": ("COCO AP of Plus-m 320 on every engine", ["-m", "tools.results.accuracy", "320"]),
    "accuracy-416": ("COCO AP of Plus-m 416 on every engine", ["-m", "tools.results.accuracy", "416"]),
    "ncnn-agreement-320": ("Our ncnn export against others', 320", ["-m", "tools.results.ncnn_agreement", "320"]),
    "ncnn-agreement-416": ("Our ncnn export against others', 416", ["-m", "tools.results.ncnn_agreement", "416"]),
    "core-accuracy": ("The C++ core against the reference: boxes", ["-m", "tools.results.core_accuracy"]),
    "core-speed": ("The C++ core against Python's own way: speed", ["-m", "tools.results.core_speed"]),
    "core-size": ("The C++ core: size, memory, start", ["-m", "tools.results.core_size"]),
    "core-threads": ("The C++ core: eight threads", ["-m", "tools.results.core_threads"]),
    "core-soak": ("The C++ core: memory over 200,000 frames", ["-m", "tools.results.core_soak"]),
    "core-fuzz": ("The C++ core: ten minutes of each fuzzer", ["-m", "tools.results.core_fuzz"]),
    "arm": ("ARM, by emulation", ["-m", "tools.results.arm"]),
    "cross-build": ("Building for other machines", ["-m", "tools.results.cross_build"]),
    "data-check": ("What data check finds", ["-m", "tools.results.data_check"]),
    "data-convert": ("Around all annotation formats", ["-m", "tools.results.data_convert"]),
    "data-speed": ("Loading and augmenting", ["-m", "tools.results.data_speed"]),
    "reduced-decoding": ("JPEGs decoded at a part of their size", ["-m", "tools.results.reduced_decoding"]),
    "demo": ("The demo", ["-m", "tools.results.demo"]),
    "suite": ("The test suite", ["-m", "tools.results.suite"]),
    "resume": ("Killed and resumed", ["-m", "tools.results.resume"]),
    "bccd": ("BCCD from scratch", ["-m", "tools.results.bccd"]),
    "small-data": ("BCCD from scratch with the recipe small-data", ["-m", "tools.results.small_data"]),
    "fine-tuning": ("BCCD from COCO-trained weights", ["-m", "tools.results.fine_tuning"]),
    "coco-tuning": ("COCO weights tuned on a few of its pictures", ["-m", "tools.results.coco_tuning"]),
    "camera-latency": ("The camera: from capture to boxes", ["-m", "tools.results.camera.latency"]),
    "camera-throughput": ("The camera: a file as fast as it goes", ["-m", "tools.results.camera.throughput"]),
    "camera-start": ("The camera: from the command line to the first boxes", ["-m", "tools.results.camera.start"]),
    "camera-viewers": ("The camera: ten viewers", ["-m", "tools.results.camera.viewers"]),
    "camera-reconnect": ("The camera: killed servers", ["-m", "tools.results.camera.reconnect"]),
    "camera-soak": ("The camera: an hour", ["-m", "tools.results.camera.soak"]),
}
KEPT = REPOSITORY / "docs" / "results"
PAGE = REPOSITORY / "docs" / "results.md"


def main(arguments: list[str]) -> None:
    """Run the named benchmarks, or all, then write the page."""
    names = [name for name in arguments if name != "--render"] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"Unknown benchmark {unknown[0]!r}; known: {', '.join(BENCHMARKS)}.")
    KEPT.mkdir(exist_ok=True)
    if "--render" not in arguments:
        for name in names:
            print(f"==> {name}", file=sys.stderr, flush=True)
            (KEPT / f"{name}.json").write_text(json.dumps(run(name), indent=2, ensure_ascii=False) + "\n")
            PAGE.write_text(render())
    PAGE.write_text(render())
    print(f"{PAGE.relative_to(REPOSITORY)} is written", file=sys.stderr)


def run(name: str) -> dict[str, Any]:
    """One benchmark's document with machine, date, commit and command."""
    title, arguments = BENCHMARKS[name]
    done = subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"The benchmark {name} ended with status {done.returncode}.")
    return {
        "title": title,
        "command": " ".join(["python", *arguments]),
        "machine": machine(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        **json.loads(done.stdout),
    }


def commit() -> str:
    """The commit that was measured; a mark says when files were changed since."""
    head = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.strip()
    folders = ["nanoedge", "cpp_runtime", "configs", "tools"]
    status = ["git", "status", "--porcelain", "--untracked-files=no", "--", *folders]
    changed = subprocess.run(status, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()
    return f"{head} with changes" if changed else head


def render() -> str:
    """The page, from the kept documents alone."""
    lines = [
        "# Results",
        "",
        "Every figure on this page was written by `make results` from the JSON in `docs/results/`; none is typed",
        "by hand.",
        "A benchmark is run again with `make results ONLY=NAME`. Real data and weights are found through",
        "`NANOEDGE_SHARED` (default `../shared`). Times of different machines cannot be compared.",
    ]
    for name in BENCHMARKS:
        path = KEPT / f"{name}.json"
        if not path.exists():
            continue
        document = json.loads(path.read_text())
        lines += ["", f"## {document['title']}", ""]
        lines += [f"`make results ONLY={name}`, that is `{document['command']}`: {document['method']}.", ""]
        lines += [f"{document['date']}, commit {document['commit']}, {document['machine']}.", ""]
        lines += ["| what | measured | to reach | |", "|---|---|---|---|"]
        for figure in document["figures"]:
            verdict = {True: "reached", False: "**missed**", None: ""}[figure["reached"]]
            value = f"{figure['value']} {figure['unit']}".strip()
            lines.append(f"| {figure['name']} | {value} | {figure['reach']} | {verdict} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
