"""Ten minutes of each fuzzer with sanitizers: python -m tools.results.core_fuzz [SECONDS [TARGET …]]."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

from tools.results.figures import REPOSITORY, Figure, at_most, publish

SECONDS = 600


def main(seconds: int, targets: Sequence[str]) -> None:
    """Run `make fuzz`; a finding fails the run there and is a figure here."""
    command = ["make", "fuzz", f"FUZZ_SECONDS={seconds}", f"FUZZ_TARGETS={' '.join(targets)}"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    verdicts = re.findall(r"^(\w+): (no finding|FINDING), (\d+|\?) inputs", done.stdout, flags=re.MULTILINE)
    if not verdicts:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    figures: list[Figure] = []
    for target, verdict, inputs in verdicts:
        figures.append(Figure(f"{target}: inputs tried", inputs))
        figures.append(at_most(f"{target}: findings", int(verdict == "FINDING"), 0))
    publish(figures, f"{seconds} s a fuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, ncnn instrumented too")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS, sys.argv[2:])
