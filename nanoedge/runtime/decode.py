"""From a raw output tensor to boxes: the readable reference in NumPy, float32 throughout."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from nanoedge.bundle import DecoderSpec

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@functools.lru_cache(maxsize=16)
def make_priors(width: int, height: int, strides: Sequence[int], offset: float) -> FloatArray:
    """Priors of an input of `width` x `height` pixels, stride by stride, row-major.

    Returns:
        float32 [priors, 3]: x, y in pixels of the input, and the stride. Read-only.
    """
    levels = []
    for stride in strides:
        columns = (np.arange(-(-width // stride), dtype=np.float32) + np.float32(offset)) * stride
        rows = (np.arange(-(-height // stride), dtype=np.float32) + np.float32(offset)) * stride
        x, y = np.meshgrid(columns, rows)
        levels.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride, np.float32)], axis=1))
    priors = np.concatenate(levels).astype(np.float32)
    priors.setflags(write=False)
    return priors


def sigmoid(logits: FloatArray) -> FloatArray:
    """Logistic function without overflow, float32."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)


def logit_of(probability: float) -> float:
    """The logit whose sigmoid is `probability`; infinite at 0 and 1."""
    with np.errstate(divide="ignore"):
        return float(np.log(np.float64(probability)) - np.log1p(-np.float64(probability)))


def decode_boxes(distributions: FloatArray, priors: FloatArray) -> FloatArray:
    """Box sides are `sum of j * softmax_j` strides in the order left, top, right, bottom.

    Args:
        distributions: [M, 4 * (reg_max + 1)], logits.
        priors: [M, 3], x, y, stride.

    Returns:
        float32 [M, 4] xyxy in pixels of the input, not clipped.
    """
    bins = distributions.shape[1] // 4
    logits = distributions.reshape(-1, 4, bins)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    expected = (weights * np.arange(bins, dtype=np.float32)).sum(axis=2) / weights.sum(axis=2)
    sides = expected * priors[:, 2:]
    return np.concatenate([priors[:, :2] - sides[:, :2], priors[:, :2] + sides[:, 2:]], axis=1).astype(np.float32)


def decode(
    output: FloatArray, width: int, height: int, classes: int, decoder: DecoderSpec, score_threshold: float
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Decode as `decoder.type` says; arguments and result are those of `decode_nanodet_plus`."""
    return DECODERS[decoder.type](output, width, height, classes, decoder, score_threshold)


def decode_nanodet_plus(
    output: FloatArray, width: int, height: int, classes: int, decoder: DecoderSpec, score_threshold: float
) -> tuple[FloatArray, FloatArray, IntArray]:
    """All (prior, class) pairs whose score exceeds the threshold.

    The threshold is applied to logits first; only the survivors' distributions are integrated.

    Args:
        output: float32 [priors, classes + 4 * (reg_max + 1)].
        width: of the network's input, pixels.
        height: of the network's input, pixels.
        classes: number of classes.
        decoder: strides, reg_max, prior offset.
        score_threshold: in 0..1.

    Returns:
        boxes float32 [M, 4] xyxy in pixels of the input (not clipped), scores float32 [M], class ids int64 [M]; in
        order of prior, then class.
    """
    logits = output[:, :classes]
    rows, class_ids = np.nonzero(logits > logit_of(score_threshold))
    priors = make_priors(width, height, decoder.strides, decoder.prior_offset)
    survivors, place = np.unique(rows, return_inverse=True)
    boxes = decode_boxes(output[survivors, classes:], priors[survivors])[place]
    return boxes, sigmoid(logits[rows, class_ids]), class_ids.astype(np.int64)


Decoder = Callable[[FloatArray, int, int, int, "DecoderSpec", float], tuple[FloatArray, FloatArray, IntArray]]
DECODERS: dict[str, Decoder] = {"nanodet-plus": decode_nanodet_plus}
