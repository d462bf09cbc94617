"""Learning from a teacher's raw predictions: its class scores as soft labels, and its box distributions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from nanoedge.config.schema import DistillationConfig
from nanoedge.losses.divisor import Divisor, at_least_one

CONFIDENT = 0.1  # priors where the teacher sees next to nothing have boxes of no meaning


@dataclass(frozen=True)
class TeacherOutput:
    """What the teacher says of a batch.

    Attributes:
        logits: [N, priors, classes], in the order of the student's classes.
        distributions: [N, priors, 4 * (reg_max + 1)], logits; `None` when its bins are not the student's.
    """

    logits: torch.Tensor
    distributions: torch.Tensor | None


@dataclass(frozen=True)
class DistillationLoss:
    """Two weighted terms, each a scalar."""

    classes: torch.Tensor
    boxes: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """Their sum."""
        return self.classes + self.boxes


def distillation_loss(
    predictions: torch.Tensor,
    teacher: TeacherOutput,
    config: DistillationConfig,
    beta: float = 2.0,
    divisor: Divisor = at_least_one,
) -> DistillationLoss:
    """The loss of the student's predictions against the teacher's, on all priors.

    Both terms are divided by the sum of the teacher's confidences (the highest class probability of each prior), at
    least 1: a picture with many objects teaches as much as one with few. Boxes count by that confidence, and only where
    it is at least `CONFIDENT`; their divisor has the same priors.

    Args:
        predictions: [N, priors, classes + 4 * (reg_max + 1)], raw, of the student's head.
        teacher: of the same pictures.
        config: weights of the terms, and the temperature of the box distributions.
        beta: focusing exponent of the class term.
        divisor: as of `detection_loss`.
    """
    student = predictions.flatten(0, 1)
    teacher_logits = teacher.logits.flatten(0, 1)
    classes = teacher_logits.shape[1]
    confidence = teacher_logits.amax(dim=1).sigmoid()
    label_loss = soft_label_loss(student[:, :classes], teacher_logits, beta)
    label_loss = label_loss / divisor(confidence.sum())
    box_loss = student.new_zeros(())
    if teacher.distributions is not None:
        confidence = confidence * (confidence >= CONFIDENT)
        divergence = localization_distillation_loss(
            student[:, classes:], teacher.distributions.flatten(0, 1), config.temperature
        )
        box_loss = (divergence * confidence).sum() / divisor(confidence.sum())
    return DistillationLoss(config.weight * label_loss, config.weight * config.box_weight * box_loss)


def soft_label_loss(logits: torch.Tensor, teacher_logits: torch.Tensor, beta: float = 2.0) -> torch.Tensor:
    """Sum of `|t - p|^beta * BCE(p, t)` with the teacher's probabilities t as soft labels, 0 where both agree.

    The quality focal loss, https://arxiv.org/abs/2006.04388, equation 4, whose label is here another network's score.

    Args:
        logits: [P, C] of the student.
        teacher_logits: [P, C].
        beta: focusing exponent.
    """
    targets = teacher_logits.sigmoid()
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (entropy * (targets - logits.sigmoid()).abs().pow(beta)).sum()


def localization_distillation_loss(
    distributions: torch.Tensor, teacher_distributions: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Kullback-Leibler divergence from the student's to the teacher's softened box distributions, mean of four sides.

    Localization distillation, https://arxiv.org/abs/2102.12252: `KL(softmax(t / T), softmax(s / T))` for each side. The
    factor T^2 keeps the gradients' size whatever the temperature T, as https://arxiv.org/abs/1503.02531 has it.

    Args:
        distributions: [P, 4 * (reg_max + 1)], logits of the student.
        teacher_distributions: [P, 4 * (reg_max + 1)].
        temperature: T.

    Returns:
        [P].
    """
    student = functional.log_softmax(distributions.reshape(len(distributions), 4, -1) / temperature, dim=2)
    teacher = functional.log_softmax(teacher_distributions.reshape(len(distributions), 4, -1) / temperature, dim=2)
    divergence = functional.kl_div(student, teacher, reduction="none", log_target=True).sum(dim=2)
    return divergence.mean(dim=1) * temperature**2
