"""Less memory for a training step: normalised and activated maps are computed again when the backward pass needs them.

Behind a convolution, normalisation keeps its input for the backward pass, and the activation and the next convolution
keep the activated map: two maps of the same size, of which the second follows from the first by one multiplication and
addition a value. Within `recomputed_activations` autograd keeps a note instead of the second map (a hook on what it
saves, `torch.autograd.graph.saved_tensors_hooks`). Nothing is run twice: not the convolutions, and not the batch norms,
whose running statistics are updated once a step as always.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from torch import nn

KEEPING_RESULT = (nn.LeakyReLU, nn.ReLU, nn.ReLU6)
"""In-place activations whose backward pass needs their result only."""

Affine = Callable[[], tuple[torch.Tensor, torch.Tensor]]
"""Makes factor and summand, each [N or 1, C, 1, 1], of a normalisation with the statistics of the forward pass."""


@contextlib.contextmanager
def recomputed_activations(enabled: bool = True) -> Iterator[None]:
    """A forward pass whose `normalise_and_activate` results are not kept for the backward pass.

    Args:
        enabled: `False` leaves everything as it is; so does a compiler at work.
    """
    if not enabled or torch.compiler.is_compiling() or not torch.is_grad_enabled():
        yield
        return
    notes = _Notes()
    token = _CURRENT.set(notes)
    try:
        with torch.autograd.graph.saved_tensors_hooks(notes.pack, notes.unpack):
            yield
    finally:
        _CURRENT.reset(token)
        notes.by_storage.clear()


def normalise_and_activate(x: torch.Tensor, norm: nn.Module, activation: nn.Module) -> torch.Tensor:
    """`activation(norm(x))`; within `recomputed_activations` without keeping the result.

    Args:
        x: [N, C, H, W].
        norm: computed plainly where it is neither a `BatchNorm2d` nor a `GroupNorm`, or where its parameters have
            another dtype than `x` (autocast).
        activation: whose map is not kept either where it works in place, as those of `layers.ACTIVATIONS` do.
    """
    notes = _CURRENT.get()
    if notes is not None:
        if type(norm) is nn.GroupNorm and norm.affine and norm.weight.dtype == x.dtype:
            return group_normalise_and_activate(x, norm.num_groups, norm.weight, norm.bias, norm.eps, activation)
        if type(norm) is nn.BatchNorm2d and _ordinary(norm, x) and norm.weight.dtype == x.dtype:
            return _batch_normalise_and_activate(x, norm, activation, notes)
    result: torch.Tensor = activation(norm(x))
    return result


def group_normalise_and_activate(
    x: torch.Tensor, groups: int, weight: torch.Tensor, bias: torch.Tensor, eps: float, activation: nn.Module
) -> torch.Tensor:
    """Group normalisation, https://arxiv.org/abs/1803.08494, and activation, as `normalise_and_activate`.

    Args:
        x: [N, C, H, W].
        groups: divides C.
        weight: [C].
        bias: [C].
        eps: is added to the variance.
        activation: see `normalise_and_activate`.
    """
    notes = _CURRENT.get()
    if notes is None or weight.dtype != x.dtype:
        result: torch.Tensor = activation(nn.functional.group_norm(x, groups, weight, bias, eps))
        return result
    count, channels, height, width = x.shape
    if x.device.type != "cpu":
        x = x.contiguous()  # PyTorch's kernels on GPUs take no other layout
    normalised, mean, scale = torch.native_group_norm(
        x, weight, bias, count, channels, height * width, groups, eps
    )  # mean and scale: [N, groups]

    def affine() -> tuple[torch.Tensor, torch.Tensor]:
        factor = scale.detach().repeat_interleave(channels // groups, dim=1) * weight.detach()
        summand = bias.detach() - mean.detach().repeat_interleave(channels // groups, dim=1) * factor
        return factor[:, :, None, None], summand[:, :, None, None]

    return notes.activate(x, normalised, affine, activation)


def _batch_normalise_and_activate(
    x: torch.Tensor, norm: nn.BatchNorm2d, activation: nn.Module, notes: _Notes
) -> torch.Tensor:
    if norm.training:
        norm.num_batches_tracked.add_(1)  # type: ignore[union-attr]
    normalised, mean, scale = torch.native_batch_norm(
        x, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.training, norm.momentum or 0.0, norm.eps
    )  # mean and scale of the batch: [C]

    def affine() -> tuple[torch.Tensor, torch.Tensor]:
        if norm.training:
            factor, centre = scale.detach() * norm.weight.detach(), mean.detach()
        else:
            factor = norm.weight.detach() * (norm.running_var + norm.eps).rsqrt()  # type: ignore[operator, union-attr]
            centre = norm.running_mean  # type: ignore[assignment]
        summand = norm.bias.detach() - centre * factor
        return factor[None, :, None, None], summand[None, :, None, None]

    return notes.activate(x, normalised, affine, activation)


def _ordinary(norm: nn.BatchNorm2d, x: torch.Tensor) -> bool:
    """Not so are batch norms without what a `ConvNormAct` has, and a single value a channel, which PyTorch refuses."""
    return x.numel() > x.shape[1] and norm.affine and norm.track_running_stats and norm.momentum is not None


class _Note:
    """How a map comes back.

    Args:
        source: the normalisation's input.
        like: the map; only its geometry is kept.
        affine: the normalisation.
        activation: works in place.
    """

    def __init__(self, source: torch.Tensor, like: torch.Tensor, affine: Affine, activation: nn.Module) -> None:
        self.source = source.detach()
        self.size, self.stride = like.size(), like.stride()
        self.affine = affine
        self.activation = activation
        self.map = weakref.ref(like)
        self.version: int | None = None
        self.uses = 0
        self.restored: torch.Tensor | None = None

    def is_about(self, storage: torch.UntypedStorage) -> bool:
        """Whether the map still exists, in this memory, and nothing has written to it since."""
        like = self.map()
        if like is None or like.untyped_storage().data_ptr() != storage.data_ptr():
            return False
        return self.version is None or like._version == self.version

    def take(self) -> torch.Tensor:
        """The map, computed at the first of its uses and let go at the last."""
        whole = self.restored if self.restored is not None else self._restore()
        self.uses -= 1
        self.restored = whole if self.uses > 0 else None
        return whole

    def _restore(self) -> torch.Tensor:
        with torch.no_grad():
            factor, summand = self.affine()
            whole = torch.empty_strided(self.size, self.stride, dtype=self.source.dtype, device=self.source.device)
            torch.addcmul(summand, self.source, factor, out=whole)
            result: torch.Tensor = self.activation(whole)
            return result


class _Part(NamedTuple):
    """A saved tensor that lies in a map of a note: the geometry within its memory."""

    note: _Note
    size: torch.Size
    stride: tuple[int, ...]
    offset: int


class _Notes:
    """The notes of one forward pass, found by the memory of their maps."""

    def __init__(self) -> None:
        self.by_storage: dict[int, _Note] = {}

    def activate(
        self, source: torch.Tensor, normalised: torch.Tensor, affine: Affine, activation: nn.Module
    ) -> torch.Tensor:
        """The activated map, noted when its backward pass can do with a note."""
        inplace = getattr(activation, "inplace", False) or isinstance(activation, nn.Identity)
        if not inplace or not normalised.requires_grad:
            result: torch.Tensor = activation(normalised)
            return result
        note = _Note(source, normalised, affine, activation)
        if isinstance(activation, KEEPING_RESULT):
            self._add(note, normalised)
        result = activation(normalised)
        note.version = result._version
        self._add(note, result)
        return result

    def _add(self, note: _Note, like: torch.Tensor) -> None:
        self.by_storage[like.untyped_storage().data_ptr()] = note

    def pack(self, saved: torch.Tensor) -> torch.Tensor | _Part:
        """What autograd keeps in place of a tensor."""
        storage = saved.untyped_storage()
        note = self.by_storage.get(storage.data_ptr())
        if note is None or not note.is_about(storage):
            return saved
        note.uses += 1
        return _Part(note, saved.size(), saved.stride(), int(saved.storage_offset()))

    @staticmethod
    def unpack(kept: Any) -> torch.Tensor:
        """The tensor again."""
        if not isinstance(kept, _Part):
            result: torch.Tensor = kept
            return result
        return kept.note.take().as_strided(kept.size, kept.stride, kept.offset)


_CURRENT: ContextVar[_Notes | None] = ContextVar("recomputed_activations", default=None)
