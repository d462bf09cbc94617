"""3 x 3 convolutions with a quarter of the multiplications: Winograd's minimal filtering F(4 x 4, 3 x 3).

The formulas are those of Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, section 4
(https://arxiv.org/abs/1509.09308): a tile of 4 x 4 outputs is `A'[(G g G') * (B' d B)]A`, where g is a 3 x 3 filter, d
are the 6 x 6 inputs that the tile needs and * multiplies elements. Summed over channels these are 36 matrix products.
The convolutions of the AGM's head are most of a training step, and PyTorch computes them directly on a CPU.

Tiles are worked on in blocks (`tiles`); a transform is additions of whole rows and columns of tiles (`transforms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from nanoedge.models.winograd.tiles import POINTS, Workplace, blocks_of
from nanoedge.models.winograd.transforms import filter_matrix

FEWEST_CHANNELS = 32
"""Below this width of the output the transforms cost more than the products save."""


def winograd_pays(level: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether `convolve_levels` is faster: in a training step in fp32 on a CPU, no autocast, no compiler, wide enough.

    Args:
        level: [N, C, H, W], the largest of the maps.
        weight: [O, C, 3, 3].
    """
    return (
        torch.is_grad_enabled()
        and level.device.type == "cpu"
        and level.dtype == weight.dtype == torch.float32
        and min(weight.shape[:2]) >= FEWEST_CHANNELS
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def convolve_levels(levels: Sequence[torch.Tensor], weight: torch.Tensor) -> list[torch.Tensor]:
    """The same 3 x 3 convolution (stride 1, padding 1, no bias) of several maps, with gradients.

    Args:
        levels: [N, C, H, W] each, float32 or float64; H and W may differ between them.
        weight: [O, C, 3, 3], the layout of `torch.nn.Conv2d`.

    Returns:
        [N, O, H, W] for each level, in `torch.channels_last`. In fp32 the largest error is about 1e-5 of the largest
        value, ten times that of a direct convolution.
    """
    return list(_WinogradConvolution.apply(weight, *levels))  # type: ignore[no-untyped-call]


class _WinogradConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, *levels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.save_for_backward(weight, *levels)
        return tuple(_convolve(levels, weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        weight, *levels = ctx.saved_tensors
        for_weight = _weight_gradient(levels, gradients) if ctx.needs_input_grad[0] else None
        for_levels: list[torch.Tensor | None] = [None] * len(levels)
        if any(ctx.needs_input_grad[1:]):
            # the adjoint of a convolution is one with the filters turned by 180 degrees and the channels exchanged
            for_levels = list(_convolve(gradients, weight.flip(2, 3).transpose(0, 1)))
        return (for_weight, *for_levels)


def _convolve(levels: Sequence[torch.Tensor], weight: torch.Tensor) -> list[torch.Tensor]:
    """`convolve_levels` without autograd."""
    out_channels, channels = weight.shape[:2]
    filters = filter_matrix(weight) @ weight.permute(2, 3, 1, 0).reshape(9, channels * out_channels)
    filters = filters.view(POINTS, channels, out_channels)
    nhwc = [level.permute(0, 2, 3, 1) for level in levels]
    outputs = [maps.new_empty(*maps.shape[:3], out_channels) for maps in nhwc]
    of_inputs, of_outputs = Workplace(weight, channels), Workplace(weight, out_channels)
    for block in blocks_of(nhwc):
        products = torch.bmm(of_inputs.inputs(nhwc, block), filters, out=of_outputs.points(block))
        of_outputs.put_outputs(products, outputs, block)
    return [output.permute(0, 3, 1, 2) for output in outputs]


def _weight_gradient(levels: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> torch.Tensor:
    """[O, C, 3, 3] from inputs [N, C, H, W] and gradients of outputs [N, O, H, W]."""
    channels, out_channels = levels[0].shape[1], gradients[0].shape[1]
    nhwc = [level.permute(0, 2, 3, 1) for level in levels]
    nhwc_gradients = [gradient.permute(0, 2, 3, 1) for gradient in gradients]
    like = levels[0]
    of_inputs, of_outputs = Workplace(like, channels), Workplace(like, out_channels)
    filters = like.new_zeros(POINTS, channels, out_channels)
    for block in blocks_of(nhwc):
        inputs = of_inputs.inputs(nhwc, block)
        filters.baddbmm_(inputs.transpose(1, 2), of_outputs.gradients(nhwc_gradients, block))
    gradient = filter_matrix(like).T @ filters.flatten(1)
    return gradient.view(3, 3, channels, out_channels).permute(3, 2, 0, 1).contiguous()
