"""Ctrl-C and SIGTERM while a command imports its modules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

UNANSWERED = 77
"""The exit status of a process that went on."""


def signalled_at_import(
    module: str, number: signal.Signals, folder: Path, *arguments: str, before: Callable[[], object] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `nanoedge`, which gets the signal as soon as it imports a module.

    Args:
        module: its name, of one that another package brings.
        number: the signal.
        folder: for a module of this name, which is found first.
        arguments: of the command line.
        before: called in the process before it begins.
    """
    # within an exec of text, as that of a dataclass: there Python makes more of Ctrl-C than an exception
    text = f"import os, time\nexec('os.kill(os.getpid(), {number.value}); time.sleep(0.5)')\nos._exit({UNANSWERED})\n"
    (folder / f"{module}.py").write_text(text)
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", "nanoedge", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_ctrl_c_ends_any_command_without_a_traceback(tmp_path: Path) -> None:
    done = signalled_at_import("typer", signal.SIGINT, tmp_path, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "nanoedge: stopped\n")


@pytest.mark.parametrize("module", ["typer", "numpy"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_both_end_the_camera_cleanly_before_it_begins(
    small_bundle: Path, tmp_path: Path, module: str, number: signal.Signals, status: int
) -> None:
    done = signalled_at_import(module, number, tmp_path, "camera", str(small_bundle))
    assert done.returncode == status, done.stderr
    assert done.stdout == "" and done.stderr in ("", "nanoedge: stopped\n")


def test_other_commands_leave_sigterm_and_an_ignored_ctrl_c_alone(tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    assert signalled_at_import("typer", signal.SIGTERM, tmp_path, "info", "x").returncode == -signal.SIGTERM
    assert signalled_at_import("typer", signal.SIGINT, tmp_path, "info", "x", before=ignore).returncode == UNANSWERED
