"""Distillation: values by hand, and what a teacher's confidence does."""

from __future__ import annotations

import math

import pytest
import torch
from nanoedge.config.schema import DistillationConfig
from nanoedge.losses.distillation import (
    TeacherOutput,
    distillation_loss,
    localization_distillation_loss,
    soft_label_loss,
)

SETTINGS = DistillationConfig(temperature=1.0)


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_soft_labels_by_hand() -> None:
    """The student says 0.2, the teacher 0.7: |0.5|^2 * -(0.7 ln 0.2 + 0.3 ln 0.8)."""
    expected = 0.25 * -(0.7 * math.log(0.2) + 0.3 * math.log(0.8))
    found = soft_label_loss(torch.tensor([[logit(0.2)]]), torch.tensor([[logit(0.7)]]))
    assert float(found) == pytest.approx(expected, abs=1e-6)


def test_a_student_that_agrees_learns_nothing() -> None:
    raw = torch.randn(2, 5, 3 + 4 * 3)
    same = TeacherOutput(raw[..., :3], raw[..., 3:])
    student = raw.clone().requires_grad_(True)
    loss = distillation_loss(student, same, SETTINGS)
    loss.total.backward()
    assert loss.classes.item() == 0
    assert loss.boxes.item() == pytest.approx(0, abs=1e-6)
    assert student.grad is not None and student.grad.abs().max() < 1e-6


def test_a_divergence_by_hand() -> None:
    """Two bins a side; the teacher (0.75, 0.25), the student (0.5, 0.5) on one side, the same on the others."""
    teacher = torch.log(torch.tensor([[0.75, 0.25] * 4]))
    student = torch.log(torch.tensor([[0.5, 0.5] + [0.75, 0.25] * 3]))
    expected = (0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 4
    found = localization_distillation_loss(student, teacher, temperature=1.0)
    assert found.shape == (1,)
    assert float(found) == pytest.approx(expected, abs=1e-6)


def test_the_temperature_softens_both_sides() -> None:
    """At T = 2 the logits 0 and 2 are 0 and 1; the divergence is multiplied by 4."""
    teacher, student = torch.tensor([[0.0, 2.0] * 4]), torch.tensor([[0.0, 0.0] * 4])
    p = 1 / (1 + math.exp(-1))
    expected = 4 * (p * math.log(p / 0.5) + (1 - p) * math.log((1 - p) / 0.5))
    assert float(localization_distillation_loss(student, teacher, 2.0)) == pytest.approx(expected, abs=1e-5)


def test_terms_are_divided_by_the_teachers_confidence_and_boxes_count_by_it() -> None:
    """Three priors with confidences 0.9, 0.6 and 0.05; the last one's box is not learned, its score is."""
    confidences = [0.9, 0.6, 0.05]
    logits = torch.tensor([[[logit(value)] for value in confidences]])
    sides = torch.log(torch.tensor([0.75, 0.25] * 4)).expand(1, 3, 8)
    student = torch.cat([torch.zeros(1, 3, 1), torch.zeros(1, 3, 8)], dim=2)
    loss = distillation_loss(student, TeacherOutput(logits, sides), SETTINGS)
    classes = sum((value - 0.5) ** 2 * math.log(2) for value in confidences) / sum(confidences)
    divergence = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert float(loss.classes) == pytest.approx(classes, abs=1e-6)
    assert float(loss.boxes) == pytest.approx(0.25 * divergence, abs=1e-6)
    assert float(loss.total) == pytest.approx(classes + 0.25 * divergence, abs=1e-6)
    half = distillation_loss(student, TeacherOutput(logits, sides), DistillationConfig(weight=0.5, box_weight=1.0))
    assert float(half.classes) == pytest.approx(classes / 2, abs=1e-6)
    assert float(half.boxes) > 0


def test_a_picture_without_objects_does_not_blow_up_the_loss() -> None:
    logits = torch.full((1, 100, 2), logit(1e-4))
    student = torch.zeros(1, 100, 2 + 8)
    loss = distillation_loss(student, TeacherOutput(logits, torch.randn(1, 100, 8)), SETTINGS)
    assert loss.boxes.item() == 0
    assert float(loss.classes) == pytest.approx(200 * 0.25 * math.log(2), rel=0.01)


def test_without_the_teachers_boxes_only_classes_are_learned() -> None:
    student = torch.randn(2, 5, 3 + 8, requires_grad=True)
    loss = distillation_loss(student, TeacherOutput(torch.randn(2, 5, 3), None), SETTINGS)
    loss.total.backward()
    assert loss.boxes.item() == 0
    assert student.grad is not None
    assert student.grad[..., :3].abs().min() > 0 and not student.grad[..., 3:].any()
