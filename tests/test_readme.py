"""Every command of the README works, typed in the README's order in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
# Long trainings are cut short: the command stays as it is written, these settings come after it.
SHORT = ["training.epochs=1", "training.batch_size=8", "input.width=96", "input.height=64", "data.workers=0"]
ELSEWHERE = ("make ", ". .venv", "pip install")  # run by `make results` and by the checks of a release


def console_lines(text: str) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def python_blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.slow
@pytest.mark.shared
def test_the_readmes_commands_work_in_order(shared: Path, shapes: Path, tmp_path: Path) -> None:
    text = (REPOSITORY / "README.md").read_text()
    prepare(tmp_path, shared, shapes)
    assert run_console_lines(text, tmp_path) >= 9
    for code in python_blocks(text):
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr


def run_console_lines(text: str, folder: Path) -> int:
    """Type the commands of a page; gives how many were run. `data check` may end with 1, its answer for bad data."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    ran = 0
    for line in console_lines(text):
        if line.startswith(ELSEWHERE):
            continue
        words = shlex.split(line)
        assert words[0] == "nanoedge", line
        if words[1] == "train":
            words += SHORT
        if "found" in words:
            shutil.rmtree(folder / "found", ignore_errors=True)
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        judged = words[1:3] == ["data", "check"] and "--fix" not in words
        assert done.returncode in ((0, 1) if judged else (0,)), f"{line}\n{done.stdout}\n{done.stderr}"
        ran += 1
    return ran


def prepare(folder: Path, shared: Path, shapes: Path) -> None:
    """The files that the README speaks of."""
    name = "nanodet-plus-m_320.ckpt"
    (folder / name).symlink_to(shared / "weights" / "nanodet-plus" / name)
    data = folder / "my_data"
    for part in ("annotations", "images"):
        (data / part).mkdir(parents=True)
    for split in ("train", "val"):
        document = json.loads((shapes / "annotations" / f"{split}.json").read_text())
        for row in document["images"]:
            name_there, row["file_name"] = row["file_name"], row["file_name"].replace("/", "-")
            shutil.copy(shapes / "images" / name_there, data / "images" / row["file_name"])
        (data / "annotations" / f"instances_{split}.json").write_text(json.dumps(document))
    pictures = folder / "my_pictures"
    pictures.mkdir()
    for path in sorted((shared / "data" / "coco_open300" / "images").iterdir())[:3]:
        shutil.copy(path, pictures)
    shutil.copy(path, folder / "photo.jpg")


def test_the_manual_builds_and_names_no_missing_page() -> None:
    for page in (REPOSITORY / "docs").glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} points to {target}"
