"""`nanoedge inspect …` as a user types it: pictures, tables, one document, and a sentence for what cannot be shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest
from nanoedge.config.load import load_config
from nanoedge.data.synthetic import CLASSES
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.checkpoints import save_imported


@pytest.fixture
def last(small_run: Path) -> Path:
    return small_run / "checkpoints" / "last.ckpt"


def test_assign_draws_a_named_picture_and_says_what_it_shows(nanoedge, last: Path, tmp_path: Path) -> None:
    done = nanoedge(
        "inspect", "assign", str(last), "--picture", "train/000002.jpg", "--out", "assign.png", cwd=tmp_path
    )
    assert "after epoch 8 of 8; in training the AGM assigns" in done.stdout
    assert (
        "assign.png: 000002.jpg (train)" in done.stdout
        and "stride 64" in done.stdout
        and "chosen by both" in done.stdout
    )
    drawn = cv2.imread(str(tmp_path / "assign.png"))
    assert drawn.shape[1] > drawn.shape[0] > 400
    again = nanoedge("inspect", "assign", str(last), "--out", "assign.png", cwd=tmp_path, expect=2)
    assert "--force" in again.stderr


def test_assign_prints_every_prior_of_every_object(nanoedge, last: Path, tmp_path: Path) -> None:
    done = nanoedge("inspect", "assign", str(last), "--count", "2", "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert (document["epoch"], document["agm"]) == (8, True)
    assert len(document["pictures"]) == 2
    for shown in document["pictures"]:
        assert (tmp_path / shown["out"]).is_file() and shown["split"] == "val"
        for guide in ("head", "agm"):
            listed = [positive for each in shown["objects"] for positive in each[guide]]
            assert len(listed) == shown[guide]["positives"] >= len(shown["objects"])
            assert all(each.keys() == {"stride", "x", "y", "quality", "prior"} for each in listed)
            counts = {stride: level["positives"] for stride, level in shown[guide]["per_stride"].items()}
            assert counts.keys() == {"8", "16", "32", "64"} and sum(counts.values()) == len(listed)
        assert 0 <= shown["agreement"] <= 1


def test_assign_finds_data_that_were_moved(nanoedge, last: Path, shapes: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(shapes, moved)
    words = ["inspect", "assign", str(last), "data.root=moved", "--picture", "1", "--out", "new/a.jpg", "--json"]
    (shown,) = json.loads(nanoedge(*words, cwd=tmp_path).stdout)["pictures"]
    assert shown["image_id"] == 1 and (tmp_path / "new" / "a.jpg").is_file()


def test_a_checkpoint_without_agm_shows_the_head_alone(nanoedge, small_settings: list[str], tmp_path: Path) -> None:
    config = load_config("demo", [*small_settings, "model.agm.enabled=false"])
    model = NanoDetPlus(config.model, len(CLASSES))
    save_imported(tmp_path / "plain.ckpt", config, CLASSES, model.state_dict())
    done = nanoedge("inspect", "assign", "plain.ckpt", "--out", "plain.png", cwd=tmp_path)
    assert "no AGM" in done.stdout and "head" in done.stdout and "chosen by both" not in done.stdout
    assert cv2.imread(str(tmp_path / "plain.png")).shape[0] < 700


def test_receptive_field_of_a_configuration(nanoedge, tmp_path: Path) -> None:
    words = ["inspect", "receptive-field", "demo", "model.backbone.width=1.0", "--out", "fields.png", "--json"]
    document = json.loads(nanoedge(*words, cwd=tmp_path).stdout)
    backbone = [row for row in document["fields"] if row["part"] == "backbone"]
    assert [(row["stride"], row["channels"], row["theoretical"]) for row in backbone] == [
        (8, 116, 63),
        (16, 232, 303),
        (32, 464, 527),
    ]
    assert "effective" not in backbone[0] and cv2.imread(str(tmp_path / "fields.png")) is not None


@pytest.mark.slow
def test_receptive_field_of_a_checkpoint_is_measured_too(nanoedge, last: Path, tmp_path: Path) -> None:
    done = nanoedge("inspect", "receptive-field", str(last), "--count", "1", "--json", cwd=tmp_path)
    rows = json.loads(done.stdout)["fields"]
    assert len(rows) == 11 and all(1 <= row["effective"] <= row["theoretical"] for row in rows)


def test_one_network_is_looked_at(nanoedge) -> None:
    assert "Give one CKPT" in nanoedge("inspect", "assign", "a.ckpt", "street.jpg", expect=2).stderr
    assert (
        "Give one CONFIG or checkpoint" in nanoedge("inspect", "receptive-field", "demo", "bccd_320", expect=2).stderr
    )


def test_layers_of_a_checkpoint_agree_with_pytorch(nanoedge, small_run: Path, tmp_path: Path) -> None:
    best = str(small_run / "checkpoints" / "best.ckpt")
    done = nanoedge("inspect", "layers", best, cwd=tmp_path)
    assert "native float (" in done.stdout and "against torch: all " in done.stdout
    assert "convolution 3x3" in done.stdout and "depth-wise 5x5" in done.stdout
    strict = nanoedge("inspect", "layers", best, "--tolerance", "0", "--json", cwd=tmp_path)
    document = json.loads(strict.stdout)
    assert (document["against"], document["tolerance"], document["alone"]) == ("torch", 0, [])
    assert document["first"] in {layer["map"] for layer in document["layers"]}
    assert max(layer["relative"] for layer in document["layers"]) < 1e-4


def test_layers_of_a_bundle_are_compared_with_its_network(
    nanoedge, small_bundle: Path, small_run: Path, tmp_path: Path
) -> None:
    words = ["inspect", "layers", str(small_bundle), "--engine", "native:float:scalar"]
    best = str(small_run / "checkpoints" / "best.ckpt")
    document = json.loads(nanoedge(*words, "--checkpoint", best, "--json", cwd=tmp_path).stdout)
    assert document["engine"] == "native float (scalar)" and document["first"] is None  # fp16 weights on both sides
    done = nanoedge(*words, "--against", "native", "--dump", "maps.npz", cwd=tmp_path)
    assert (tmp_path / "maps.npz").is_file() and "written: maps.npz" in done.stdout
    assert "--checkpoint" in nanoedge(*words, cwd=tmp_path, expect=2).stderr
    assert "does not show its layers" in nanoedge(*words, "--against", "onnx", cwd=tmp_path, expect=2).stderr
    assert "--force" in nanoedge(*words, "--against", "native", "--dump", "maps.npz", cwd=tmp_path, expect=2).stderr
