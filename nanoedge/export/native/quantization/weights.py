"""Weights as signed bytes, a scale for each output channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nanoedge.export.native.graph import FloatArray

MOST = 127
MOST_OF_A_PAIR = 128
"""The products of two bytes (up to 255) with such a pair of weights stay within 16 bits, in which CPUs with AVX2 but
without dot products add them: 255 * 128 < 32768. So every CPU calculates the same."""

FACTORS = np.linspace(1.0, 0.5, 26)


def quantize_weights(weight: FloatArray, is_depthwise: bool) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """Round with the scale that leaves the smallest squared error, channel by channel.

    Args:
        weight: [O, I, k, k].
        is_depthwise: which weights are neighbours, whose sum is limited: any two below each other in a depth-wise
            filter; else input channels 2n and 2n + 1 of a 1x1 convolution, and values behind each other in a row of
            the window of a larger one.

    Returns:
        int8 [O, I, k, k] and scales [O].
    """
    outputs, inputs, kernel = weight.shape[:3]
    rows = weight.transpose(0, 2, 3, 1).reshape(outputs, kernel, kernel * inputs).astype(np.float64)
    largest = np.maximum(np.abs(rows).max((1, 2)), 1e-12)
    best = np.full(outputs, np.inf)
    quantized = np.zeros(rows.shape)
    scales = largest / MOST
    limit_pairs = _limit_columns if is_depthwise else _limit_rows
    for factor in FACTORS:
        # a larger scale than needed makes all weights smaller, so that fewer pairs are too large
        scale = largest / (MOST * factor)
        rounded = limit_pairs(np.clip(np.round(rows / scale[:, None, None]), -MOST, MOST))
        error = ((rounded * scale[:, None, None] - rows) ** 2).sum((1, 2))
        better = error < best
        best[better], quantized[better], scales[better] = error[better], rounded[better], scale[better]
    signed = quantized.reshape(outputs, kernel, kernel, inputs).transpose(0, 3, 1, 2).astype(np.int8)
    return np.ascontiguousarray(signed), scales


def _limit_rows(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Values 2n and 2n + 1 of each row."""
    limited = rows.copy()
    count = rows.shape[2] // 2 * 2
    _limit(limited[:, :, 0:count:2], limited[:, :, 1:count:2])
    return limited


def _limit_columns(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Any two rows below each other."""
    limited = rows.copy()
    for row in range(rows.shape[1] - 1):
        _limit(limited[:, row], limited[:, row + 1])
    return limited


def _limit(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> None:
    """Take from both weights of a pair of equal sign what is too much, half from each, in place."""
    excess = np.maximum(np.abs(first + second) - MOST_OF_A_PAIR, 0)
    excess[np.sign(first) != np.sign(second)] = 0
    of_first = np.minimum(np.ceil(excess / 2), np.abs(first))
    first -= np.sign(first) * of_first
    second -= np.sign(second) * (excess - of_first)
