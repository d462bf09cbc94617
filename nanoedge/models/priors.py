"""Priors and the decoding of box distributions, in PyTorch (training). `runtime.decode` is the NumPy twin."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def make_priors(
    width: int, height: int, strides: Sequence[int], offset: float = 0.0, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """The priors of an input of `width` x `height` pixels, stride by stride, row-major.

    Returns:
        float32 [priors, 3]: x and y in pixels of the input, and the stride.
    """
    levels = []
    for stride in strides:
        columns = torch.arange(-(-width // stride), dtype=torch.float32, device=device)
        rows = torch.arange(-(-height // stride), dtype=torch.float32, device=device)
        y, x = torch.meshgrid((rows + offset) * stride, (columns + offset) * stride, indexing="ij")
        levels.append(torch.stack([x, y, torch.full_like(x, stride)], dim=-1).reshape(-1, 3))
    return torch.cat(levels)


def decode_boxes(distributions: torch.Tensor, priors: torch.Tensor) -> torch.Tensor:
    """Expected box of each prior's four distributions.

    Args:
        distributions: [..., priors, 4 * (reg_max + 1)], logits of the distances left, top, right, bottom in strides.
        priors: [priors, 3] of `make_priors`.

    Returns:
        [..., priors, 4]: x1, y1, x2, y2 in pixels of the input, not clipped.
    """
    bins = distributions.shape[-1] // 4
    values = torch.arange(bins, dtype=distributions.dtype, device=distributions.device)
    probabilities = distributions.reshape(*distributions.shape[:-1], 4, bins).softmax(dim=-1)
    distances = (probabilities @ values) * priors[:, 2:]
    centres = priors[:, :2]
    return torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], dim=-1)
