"""Run benchmarks and write docs/results.md: python -m tools.results [NAME …]; `--render` only writes the page."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from typing import Any

from nanoedge.machine import machine

from tools.results.benchmarks import BENCHMARKS
from tools.results.figures import NOT_HERE, REPOSITORY

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
            document = run(name)
            if document is None:
                continue
            (KEPT / f"{name}.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
            PAGE.write_text(render())
    PAGE.write_text(render())
    print(f"{PAGE.relative_to(REPOSITORY)} is written", file=sys.stderr)


def run(name: str) -> dict[str, Any] | None:
    """One benchmark's document with machine, date, commit and command; `None` where this machine cannot run it."""
    title, arguments = BENCHMARKS[name]
    done = subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == NOT_HERE:
        return None
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
