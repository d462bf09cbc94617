"""Weights as signed bytes, a scale for each output channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nanoedge.export.native.graph import FloatArray

MOST = 127
MOST_TOGETHER = 128
"""The products of bytes (up to 255) with weights of one sign whose sum is no larger stay within 16 bits, in which CPUs
with AVX2 but without dot products add them: 255 * 128 < 32768. Those of ARM add products with bytes - 128, of weights
of both signs: (128 + 127) * 128. So every CPU calculates the same."""

FACTORS = np.linspace(1.0, 0.25, 31)


def quantize_weights(weight: FloatArray, is_depthwise: bool) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """Round with the scale that leaves the smallest squared error, channel by channel.

    Args:
        weight: [O, I, k, k].
        is_depthwise: which weights are added up, so that their sum is limited: any two below each other in a
            depth-wise filter; else, of every eight input channels of a 1x1 convolution, or values behind each other in
            a row of the window of a larger one, those with the numbers 0, 1, 4, 5 and 2, 3, 6, 7.

    Returns:
        int8 [O, I, k, k] and scales [O].
    """
    outputs, inputs, kernel = weight.shape[:3]
    rows = weight.transpose(0, 2, 3, 1).reshape(outputs, kernel, kernel * inputs).astype(np.float64)
    largest = np.maximum(np.abs(rows).max((1, 2)), 1e-12)
    best = np.full(outputs, np.inf)
    quantized = np.zeros(rows.shape)
    scales = largest / MOST
    limit = _limit_columns if is_depthwise else _limit_rows
    for factor in FACTORS:
        # a larger scale than needed makes all weights smaller, so that fewer sums are too large
        scale = largest / (MOST * factor)
        rounded = limit(np.clip(np.round(rows / scale[:, None, None]), -MOST, MOST))
        error = ((rounded * scale[:, None, None] - rows) ** 2).sum((1, 2))
        better = error < best
        best[better], quantized[better], scales[better] = error[better], rounded[better], scale[better]
    signed = quantized.reshape(outputs, kernel, kernel, inputs).transpose(0, 3, 1, 2).astype(np.int8)
    return np.ascontiguousarray(signed), scales


def _limit_rows(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of every eight values of a row, 0, 1, 4, 5 and 2, 3, 6, 7."""
    length = rows.shape[2]
    eights = np.pad(rows, ((0, 0), (0, 0), (0, -length % 8))).reshape(-1, 2, 2, 2)
    fours = _limited(eights.transpose(0, 2, 1, 3).reshape(-1, 4))
    limited = fours.reshape(-1, 2, 2, 2).transpose(0, 2, 1, 3).reshape(*rows.shape[:2], -1)
    return limited[:, :, :length]


def _limit_columns(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Any two rows below each other."""
    limited = rows.copy()
    for row in range(rows.shape[1] - 1):
        pairs = limited[:, row : row + 2]
        pairs[:] = _limited(pairs.swapaxes(1, 2).reshape(-1, 2)).reshape(len(rows), -1, 2).swapaxes(1, 2)
    return limited


def _limited(groups: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Take from the weights of one sign what is too much, as evenly as whole numbers allow.

    Args:
        groups: whole numbers [G, N].
    """
    limited = groups.copy()
    for sign in (1, -1):
        parts = np.maximum(sign * groups, 0)
        while True:
            excess = parts.sum(1) - MOST_TOGETHER
            [rows] = np.nonzero(excess > 0)
            if not rows.size:
                break
            some, count = parts[rows], (parts[rows] > 0).sum(1)
            rank = np.argsort(np.argsort(-some, axis=1, kind="stable"), axis=1)  # the largest gives what is left over
            share = excess[rows] // count
            take = share[:, None] + (rank < (excess[rows] - share * count)[:, None])
            parts[rows] = np.maximum(some - take, 0)
        limited = np.where(sign * groups > 0, sign * parts, limited)
    return limited
