"""Fixtures that several folders share: the real data, trained weights, and a small trained network of our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from nanoedge.bundle.manifest import digest_of

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one worker a core: more threads would only wait for each other

REPOSITORY = Path(__file__).resolve().parent.parent


def shared_folder() -> Path | None:
    """The folder of real data and weights, if it is there."""
    folder = Path(os.environ.get("NANOEDGE_SHARED", REPOSITORY.parent / "shared")).resolve()
    return folder if (folder / "weights" / "nanodet-plus").is_dir() else None


def pytest_report_header() -> str:
    """Say at the top whether the tests on real data will run."""
    folder = shared_folder()
    return f"NANOEDGE_SHARED: {folder or 'not there, tests on real data and COCO-trained weights are skipped'}"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data and COCO-trained weights; the test is skipped, visibly, without them."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("NANOEDGE_SHARED (default ../shared) is not there")
    return folder


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all worker processes of this test session."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(place: Path, make) -> Path:
    """Let the first worker process make `place`; the others wait and use it."""
    with FileLock(f"{place}.lock"):
        if not place.exists():
            make()
    return place


@pytest.fixture(scope="session")
def shapes(common: Path) -> Path:
    """A small synthetic data set with splits train (64), val (16)."""
    from nanoedge.data.synthetic import write_synthetic_set

    place = common / "shapes"
    return made_once(place, lambda: write_synthetic_set(place, {"train": 64, "val": 16}, (160, 120), seed=3))


@pytest.fixture(scope="session")
def small_settings(shapes: Path) -> list[str]:
    """Overrides that make `demo` a network that trains in seconds."""
    return [
        f"data.root={shapes}",
        "data.workers=0",
        "input.width=96",
        "input.height=64",
        "model.neck.channels=32",
        "model.head.channels=32",
        "model.agm.channels=32",
        "training.batch_size=8",
        "training.warmup_steps=4",
        "training.report=false",  # some seconds; tests of the report ask for it
    ]


@pytest.fixture(scope="session")
def small_run(common: Path, small_settings: list[str]) -> Path:
    """A run of eight epochs of a small network: really trained, if not for long."""
    place = common / "small-run"

    def make() -> None:
        settings = [*small_settings, "training.epochs=8", "training.evaluate_every=4", "training.report=true"]
        run_nanoedge("train", "demo", *settings, "--out", str(place))

    return made_once(place, make)


@pytest.fixture(scope="session")
def small_bundle(common: Path, small_run: Path) -> Path:
    """The small network as a bundle for all engines."""
    place = common / "small.nanoedge"
    checkpoint = small_run / "checkpoints" / "best.ckpt"
    return made_once(place, lambda: run_nanoedge("export", str(checkpoint), "--target", "all", "--out", str(place)))


@pytest.fixture(scope="session")
def plus_m_320(common: Path, shared: Path) -> Path:
    """The COCO-trained NanoDet-Plus-m 320, imported."""
    return _imported(common, shared, "nanodet-plus-m_320")


@pytest.fixture(scope="session")
def plus_m_320_bundle(common: Path, plus_m_320: Path) -> Path:
    """NanoDet-Plus-m 320 as a bundle for all engines."""
    place = common / "plus-m_320.nanoedge"
    return made_once(place, lambda: run_nanoedge("export", str(plus_m_320), "--target", "all", "--out", str(place)))


def _imported(common: Path, shared: Path, name: str) -> Path:
    place = common / f"{name}.ckpt"
    source = shared / "weights" / "nanodet-plus" / f"{name}.ckpt"
    return made_once(place, lambda: run_nanoedge("import-nanodet", str(source), "--config", name, "--out", str(place)))


def changed_bundle(bundle: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy with an edited and newly signed manifest."""
    place = tmp_path / "changed.nanoedge"
    shutil.copytree(bundle, place)
    path = place / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    document["digest"] = digest_of(document)
    path.write_text(json.dumps(document, ensure_ascii=False))
    return place


def run_nanoedge(*arguments: str, expect: int = 0, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own and check its exit code."""
    command = [sys.executable, "-m", "nanoedge", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=600)
    assert done.returncode == expect, f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def nanoedge():
    """`run_nanoedge` for tests."""
    return run_nanoedge
