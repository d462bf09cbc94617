"""`nanoedge demo` as a user runs it: python -m tools.results.demo."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tools.results.figures import Figure, at_least, at_most, nanoedge, publish


def main() -> None:
    """Run it once in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        result = nanoedge("demo", "--out", Path(folder) / "demo")
    figures = [at_most("whole demo", result["seconds"] / 60, 5, "min")]
    figures[0] = at_most("whole demo", round(result["seconds"] / 60, 2), 5, "min")
    for row in result["engines"]:
        figures.append(at_least(f"AP, {row['engine']}", row["AP"], 0.50))
    for row in result["engines"]:
        if "total" in row:
            figures.append(Figure(f"total latency p50, {row['engine']}, one thread", row["total"]["p50"], "ms"))
    publish(figures, "one run; AP on 60 drawn pictures that training never saw")


if __name__ == "__main__":
    main()
