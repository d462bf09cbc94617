"""How long the test suite takes: python -m tools.results.suite."""

from __future__ import annotations

import re
import subprocess
import sys
import time

from tools.results.figures import REPOSITORY, Figure, at_most, publish


def main() -> None:
    """Run `make test` once."""
    started = time.perf_counter()
    done = subprocess.run(["make", "test"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    minutes = (time.perf_counter() - started) / 60
    counts = re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout[done.stdout.rfind("\n=") :])
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    figures = [at_most("make test after installation", round(minutes, 2), 10, "min")]
    figures += [Figure(f"tests {what}", int(number)) for number, what in counts]
    publish(figures, "one run on all cores")


if __name__ == "__main__":
    main()
