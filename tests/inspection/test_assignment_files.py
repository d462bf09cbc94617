"""Drawings land where they were asked for; what cannot be drawn is refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.errors import CheckpointError, ConfigError, InputError
from nanoedge.inspection.assignment_files import draw_assignments
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.checkpoints import save_imported
from tests.data.folders import CLASSES, write_coco

TWO_FOLDERS = {
    "train": {"day/a.jpg": [("cat", 10, 20, 40, 60)], "night/a.jpg": [("dog", 5, 5, 30, 30)]},
    "val": {"d.jpg": [("cat", 20, 20, 70, 70)]},
}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Weights without AGM, never trained."""
    settings = ["input.width=96", "input.height=64", "model.agm.enabled=false", "data.train=train", "data.val=val"]
    config: Config = load_config("demo", [f"data.root={write_coco(tmp_path / 'set', TWO_FOLDERS)}", *settings])
    save_imported(tmp_path / "plain.ckpt", config, CLASSES, NanoDetPlus(config.model, len(CLASSES)).state_dict())
    return tmp_path / "plain.ckpt"


def test_a_folder_gets_a_picture_each_under_names_of_their_own(checkpoint: Path, tmp_path: Path) -> None:
    result = draw_assignments(checkpoint, names=["day/a.jpg", "night/a.jpg", "d"], out=tmp_path / "out")
    assert [place.name for _, place in result.drawn] == ["train-a-1.png", "train-a-2.png", "val-d.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["train-a-1.png", "train-a-2.png", "val-d.png"]
    assert not result.has_agm and result.stage == "not trained here; without AGM: the head alone"
    with pytest.raises(InputError, match="--force"):
        draw_assignments(checkpoint, names=["d"], out=tmp_path / "out")
    draw_assignments(checkpoint, names=["d"], out=tmp_path / "out", force=True)


def test_what_cannot_be_drawn_leaves_nothing(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    with pytest.raises(InputError, match="takes one picture, not 2"):
        draw_assignments(checkpoint, names=["d", "a"], out=out)
    with pytest.raises(InputError, match="takes one picture, not 2"):
        draw_assignments(checkpoint, count=2, out=out)
    with pytest.raises(ConfigError, match="cannot be changed"):
        draw_assignments(checkpoint, ["model.head.channels=64"], out=out)
    with pytest.raises(ConfigError, match="multiple of 32"):
        draw_assignments(checkpoint, ["input.width=100"], out=out)
    with pytest.raises(InputError, match=r"There is no|does not exist|holds no"):
        draw_assignments(checkpoint, [f"data.root={tmp_path / 'gone'}"], out=out)
    with pytest.raises(CheckpointError, match="does not exist"):
        draw_assignments(tmp_path / "gone.ckpt", out=out)
    with pytest.raises(InputError, match="is a file, not a folder"):
        draw_assignments(checkpoint, out=checkpoint)
    assert not out.exists()
