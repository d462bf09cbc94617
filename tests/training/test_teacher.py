"""A teacher is learned from, and appears nowhere else; a wrong one costs a sentence."""

from __future__ import annotations

import copy
import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.data.loader import Batch
from nanoedge.errors import CheckpointError, InputError
from nanoedge.training.checkpoints import load_checkpoint, read_tensor_file, save_imported
from nanoedge.training.module import DetectorModule
from nanoedge.training.teacher import Teacher, load_teacher
from nanoedge.training.train import resume, train

CLASSES = ("ring", "star", "cross", "arrow")


@pytest.fixture
def settings(small_run: Path, small_settings: list[str]) -> list[str]:
    """A narrower student for the small run as its teacher."""
    teacher = small_run / "checkpoints" / "best.ckpt"
    return [*small_settings, "model.neck.channels=16", "training.epochs=1", f"distillation.teacher={teacher}"]


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return read_tensor_file(run / "checkpoints" / "last.ckpt")["current_model_state"]


def test_a_run_with_a_teacher_learns_from_it_and_does_not_keep_it(tmp_path: Path, settings: list[str]) -> None:
    said: list[str] = []
    taught = train(load_config("demo", settings), tmp_path / "taught", quiet=True, say=said.append)
    assert any(text.startswith("teacher: ") and "shufflenet_v2 of width 0.5" in text for text in said)
    document = read_tensor_file(taught.last)
    assert not any("teacher" in name for name in {**document["state_dict"], **document["current_model_state"]})
    assert taught.last.stat().st_size < 20e6
    assert len(document["nanoedge"]["config"]["distillation"]["fingerprint"]) == 64
    logged = b"".join(path.read_bytes() for path in (taught.run / "tensorboard").glob("events.*"))
    assert b"train/distillation_classes" in logged and b"train/distillation_boxes" in logged

    alone = train(load_config("demo", [*settings, "distillation.teacher=null"]), tmp_path / "alone", quiet=True)
    without = train(load_config("demo", [*settings, "distillation.weight=0"]), tmp_path / "without", quiet=True)
    learned, by_labels, unweighted = (weights_of(result.run) for result in (taught, alone, without))
    assert not torch.equal(learned["model.head.predict.0.weight"], by_labels["model.head.predict.0.weight"])
    for name, tensor in by_labels.items():
        assert torch.equal(tensor, unweighted[name]), name


def test_a_student_becomes_more_like_its_teacher_than_by_labels_alone(small_run: Path, settings: list[str]) -> None:
    """Sixty steps on one batch, with the teacher's predictions as the only thing to learn."""
    config = load_config("demo", [*settings, "distillation.weight=1"])
    teacher = load_teacher(config, CLASSES, lambda text: None)
    assert teacher is not None
    torch.manual_seed(0)
    module = DetectorModule(config, CLASSES, teacher=teacher)
    assert {id(part) for part in module.modules()}.isdisjoint({id(part) for part in teacher.model.modules()})
    assert copy.deepcopy(module).teacher is teacher
    torch.manual_seed(1)
    pictures = torch.rand(4, 3, 64, 96) * 255
    empty = [torch.zeros(0, 4)] * 4
    batch = Batch(pictures, empty, [torch.zeros(0, dtype=torch.int64)] * 4, empty, ["x"] * 4)
    optimiser = torch.optim.AdamW(module.model.parameters(), 1e-3)
    found = []
    for _ in range(60):
        loss = module.losses_of(batch)[-1].total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        found.append(loss.item())
    assert found[-1] < 0.7 * found[0]
    assert not any(parameter.requires_grad for parameter in teacher.model.parameters())
    assert not teacher.model.training


def test_the_teachers_classes_are_found_by_name_and_its_own_normalisation_is_used(small_run: Path) -> None:
    checkpoint = load_checkpoint(small_run / "checkpoints" / "best.ckpt")
    brighter = checkpoint.config.input.model_copy(update={"mean": (0.0, 0.0, 0.0), "std": (255.0, 255.0, 255.0)})
    other = dataclasses.replace(checkpoint, config=checkpoint.config.model_copy(update={"input": brighter}))
    pictures = torch.rand(2, 3, 64, 96) * 255
    said = Teacher(other, ("arrow", "ring"), 7)(pictures)
    with torch.no_grad():
        expected = checkpoint.model()(pictures / 255)
    assert torch.allclose(said.logits, expected[..., [3, 0]], atol=1e-5)
    assert said.distributions is not None and torch.allclose(said.distributions, expected[..., 4:], atol=1e-5)
    assert Teacher(other, ("ring",), 5)(pictures).distributions is None


def test_boxes_of_other_bins_are_left_out_with_a_sentence(settings: list[str]) -> None:
    said: list[str] = []
    config = load_config("demo", [*settings, "model.head.reg_max=5"])
    assert load_teacher(config, CLASSES, said.append) is not None
    assert "reg_max is 7, this network's 5" in said[-1]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("distillation.teacher=nowhere.ckpt", "teacher nowhere.ckpt cannot be read"),
        ("model.neck.extra_levels=0", "strides 8/16/32/64, this network on 8/16/32;"),
        ("classes=[ring, star, cross, arrow, heart]", "does not know the class 'heart'.*knows ring, star"),
        ("distillation.fingerprint=abc", "not the file that this run began with"),
    ],
)
def test_a_wrong_teacher_is_refused_before_the_runs_folder_is_made(
    tmp_path: Path, settings: list[str], setting: str, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        train(load_config("demo", [*settings, setting]), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_teacher_with_nan_or_of_another_project_is_refused(
    tmp_path: Path, small_run: Path, small_settings: list[str]
) -> None:
    checkpoint = load_checkpoint(small_run / "checkpoints" / "best.ckpt")
    checkpoint.weights["neck.reduce.0.conv.weight"][0] = float("nan")
    broken = tmp_path / "broken.ckpt"
    save_imported(broken, checkpoint.config, checkpoint.classes, checkpoint.weights)
    config = load_config("demo", [*small_settings, f"distillation.teacher={broken}"])
    with pytest.raises(CheckpointError, match=r"neck\.reduce\.0\.conv\.weight holds NaN"):
        load_teacher(config, CLASSES, lambda text: None)
    torch.save({"state_dict": {"model.x": torch.zeros(1)}}, broken)
    with pytest.raises(CheckpointError, match="import-nanodet"):
        load_teacher(config, CLASSES, lambda text: None)


def test_a_run_goes_on_with_the_same_teacher_wherever_it_lies(
    tmp_path: Path, small_run: Path, settings: list[str]
) -> None:
    teacher, run = tmp_path / "teacher.ckpt", tmp_path / "run"
    shutil.copy(small_run / "checkpoints" / "best.ckpt", teacher)
    train(load_config("demo", [*settings, f"distillation.teacher={teacher}"]), run, quiet=True)
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("epochs: 1\n", "epochs: 2\n"))
    shutil.copy(small_run / "checkpoints" / "last.ckpt", teacher)
    with pytest.raises(CheckpointError, match="not the file that this run began with"):
        resume(run, quiet=True)
    teacher.unlink()
    with pytest.raises(CheckpointError, match=r"cannot be read.*Set distillation\.teacher"):
        resume(run, quiet=True)
    moved = f"distillation.teacher={small_run / 'checkpoints' / 'best.ckpt'}"
    assert resume(run, [moved], quiet=True).epochs == 2
