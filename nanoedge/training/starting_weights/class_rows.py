"""Prediction layers, row by row: classes are carried over by name, boxes where their bins agree."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class PredictionRows:
    """What the rows (output channels) of a prediction layer mean: one a class, then those of the boxes.

    Attributes:
        classes: names; `None` where they are unknown.
        boxes: rows of the boxes at the end: 4 * (reg_max + 1), or 0.
    """

    classes: tuple[str, ...] | None
    boxes: int


@dataclass(frozen=True, eq=False)
class CarriedRows:
    """A prediction layer's tensor with what could be carried over.

    Attributes:
        tensor: in our shape; rows without a counterpart keep their values.
        reason: why it is not carried over whole; empty if it is.
    """

    tensor: torch.Tensor
    reason: str


def carry_rows(
    ours: torch.Tensor, theirs: torch.Tensor, our_rows: PredictionRows, their_rows: PredictionRows
) -> CarriedRows:
    """Take the rows of a weight [rows, ...] or bias [rows] that mean the same.

    Layers of unknown classes are taken whole where their shape agrees, else only the rows of their boxes.
    """
    if ours.shape[1:] != theirs.shape[1:]:
        return CarriedRows(ours, "another shape")
    tensor, reasons = ours.clone(), []
    count = len(theirs) - their_rows.boxes
    names = our_rows.classes or ()
    if their_rows.classes is None:
        if ours.shape == theirs.shape:
            return CarriedRows(theirs.to(ours.dtype), "")
        reasons.append("unknown class names")
    else:
        known = {name: row for row, name in enumerate(their_rows.classes)}
        for row, name in enumerate(names):
            if name in known:
                tensor[row] = theirs[known[name]]
        if not set(names) <= set(known):
            reasons.append("another number of classes" if count != len(names) else "other class names")
    if our_rows.boxes and our_rows.boxes == their_rows.boxes:
        tensor[-our_rows.boxes :] = theirs[-their_rows.boxes :]
    elif our_rows.boxes and their_rows.boxes:
        reasons.append("another reg_max")
    return CarriedRows(tensor, ", ".join(reasons))
