"""The core among threads, processes and kinds of CPUs that end, fork and differ."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nanoedge import Detector

pytestmark = pytest.mark.slow


def run_script(script: str, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *(str(word) for word in words)]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


ENDS_WHILE_IT_WORKS = """
import sys, threading, time
import numpy as np
from nanoedge import Detector
detector = Detector(sys.argv[1], sys.argv[2], threads=int(sys.argv[3]))
frame = np.zeros((480, 640, 3), np.uint8)
def work():
    while True:
        detector(frame)
for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
"""


@pytest.mark.parametrize(("engine", "threads"), [("ncnn", 1), ("ncnn", 2), ("openvino", 1)])
def test_a_process_ends_while_daemon_threads_detect(small_bundle: Path, engine: str, threads: int) -> None:
    for _ in range(3):
        done = run_script(ENDS_WHILE_IT_WORKS, small_bundle, engine, str(threads))
        assert (done.returncode, done.stderr) == (0, "")


WORKS_AFTER_A_FORK = """
import os, sys
import numpy as np
from nanoedge import Detector
frame = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
detector = Detector(sys.argv[1], "ncnn", threads=2, score_threshold=0.01)
wanted = detector(frame).scores.tolist()
child = os.fork()
if child == 0:
    fresh = Detector(sys.argv[1], "ncnn", threads=2, score_threshold=0.01)
    same = detector(frame).scores.tolist() == wanted == fresh(frame).scores.tolist()
    os._exit(0 if same and wanted else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_detects_with_several_threads(small_bundle: Path) -> None:
    done = run_script(WORKS_AFTER_A_FORK, small_bundle)
    assert done.returncode == 0, done.stderr


SIGNALLED_AFTER_ANOTHER_THREAD_LET_GO = """
import faulthandler, gc, os, signal, sys, threading
import numpy as np
from nanoedge import Detector
faulthandler.enable()  # gives this thread a stack for signals
seen = []
signal.signal(signal.SIGUSR1, lambda *arguments: seen.append(arguments))
detector = Detector(sys.argv[1], sys.argv[2])
detector(np.zeros((64, 64, 3), np.uint8))
def let_go():
    global detector
    del detector
    gc.collect()
thread = threading.Thread(target=let_go)
thread.start()
thread.join()
os.kill(os.getpid(), signal.SIGUSR1)
sys.exit(len(seen) - 1)
"""


@pytest.mark.parametrize("engine", ["ncnn", "openvino", "native", "python-openvino"])
def test_signals_are_handled_after_another_thread_let_go_of_a_detector(small_bundle: Path, engine: str) -> None:
    done = run_script(SIGNALLED_AFTER_ANOTHER_THREAD_LET_GO, small_bundle, engine)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_frame_from_another_process_is_a_picture(small_bundle: Path) -> None:
    detector = Detector(small_bundle, "ncnn", threads=1, score_threshold=0.01)
    frame = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
    sent = pickle.loads(pickle.dumps(frame, protocol=5))
    assert len(detector(frame)) > 0
    np.testing.assert_array_equal(detector(sent).boxes_xyxy, detector(frame).boxes_xyxy)


RESTS = """
import sys, time
import numpy as np
from nanoedge import Detector
frame = np.zeros((120, 160, 3), np.uint8)
detector = Detector(sys.argv[1], sys.argv[2], threads=2)
for _ in range(20):
    detector(frame)
before = time.process_time()
time.sleep(0.5)
print(detector.threads, time.process_time() - before)
"""


@pytest.mark.parametrize("engine", ["native", "ncnn"])
def test_a_detector_that_has_nothing_to_do_uses_no_cpu(small_bundle: Path, engine: str) -> None:
    """Threads that spin would heat a board between the frames of a slow camera."""
    done = run_script(RESTS, small_bundle, engine)
    assert done.returncode == 0, done.stderr
    threads, seconds = done.stdout.split()
    assert threads == "2" and float(seconds) < 0.005


TWO_KINDS_OF_CPUS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
FILE* fopen(const char* path, const char* mode) {
  FILE* (*real)(const char*, const char*) = (FILE* (*)(const char*, const char*))dlsym(RTLD_NEXT, "fopen");
  int cpu, end = 0;
  char other[4096];
  if (sscanf(path, "/sys/devices/system/cpu/cpu%d/cpu_capacity%n", &cpu, &end) == 1 && end && !path[end]) {
    snprintf(other, sizeof other, "%s/capacity%d", FOLDER, cpu);
    return real(other, mode);
  }
  return real(path, mode);
}
FILE* fopen64(const char* path, const char* mode) { return fopen(path, mode); }
"""
CHOOSES_CORES = """
import os, sys, threading
import numpy as np
from nanoedge import Detector
frame = np.zeros((120, 160, 3), np.uint8)
both = Detector(sys.argv[1], "ncnn", threads=2, cores="all")
little = Detector(sys.argv[1], "ncnn", threads=2, cores="little")
for detector in (both, little, both):
    detector(frame)
tasks = [int(task) for task in os.listdir("/proc/self/task")]
print(len(tasks) > 1, all(os.sched_getaffinity(task) == os.sched_getaffinity(0) for task in tasks))
for engine in ("ncnn", "openvino", "native"):
    for cores in ("little", "big", "auto", "all"):
        detector = Detector(sys.argv[1], engine, cores=cores)
        detector(frame)
        print(engine, cores, detector.threads, len(os.sched_getaffinity(0)))
"""


def test_big_and_little_cores_are_chosen_and_left_again(small_bundle: Path, tmp_path: Path) -> None:
    """On two CPUs that a preloaded library shows as a big and a little one."""
    compiler, cpus = shutil.which("cc"), sorted(os.sched_getaffinity(0))
    if compiler is None or len(cpus) < 2:
        pytest.skip("needs a C compiler and two CPUs")
    for place, cpu in enumerate(cpus):
        (tmp_path / f"capacity{cpu}").write_text("100\n" if place == 0 else "1024\n")
    (tmp_path / "cpus.c").write_text(TWO_KINDS_OF_CPUS)
    library = tmp_path / "cpus.so"
    command = [compiler, "-shared", "-fPIC", f'-DFOLDER="{tmp_path}"', str(tmp_path / "cpus.c"), "-o", str(library)]
    subprocess.run([*command, "-ldl"], check=True)
    done = run_script(CHOOSES_CORES, small_bundle, LD_PRELOAD=str(library))
    assert done.returncode == 0, done.stderr
    big = len(cpus) - 1
    lines = [
        f"{engine} {kind}"
        for engine in ("ncnn", "openvino", "native")
        for kind in (f"little 1 {big + 1}", f"big {big} {big + 1}", f"auto {big} {big + 1}", f"all {big + 1} {big + 1}")
    ]
    assert done.stdout.splitlines() == ["True True", *lines]
