"""Parameter names of the original NanoDet-Plus project to ours.

The original's names are an interface that its published checkpoints use; only names are mapped here, tensors stay as
they are. The tables read: part of the original's name (a regular expression) to part of ours, applied in order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from nanoedge.errors import CheckpointError

NORM_KEYS = r"(weight|bias|running_mean|running_var|num_batches_tracked)"

_SHUFFLENET_V2 = (
    (r"^backbone\.conv1\.0\.", "backbone.stem.conv."),
    (r"^backbone\.conv1\.1\.", "backbone.stem.norm."),
    (r"(backbone\.stage\d\.\d+\.branch1)\.0\.", r"\1.0.conv."),
    (r"(backbone\.stage\d\.\d+\.branch1)\.1\.", r"\1.0.norm."),
    (r"(backbone\.stage\d\.\d+\.branch1)\.2\.", r"\1.1.conv."),
    (r"(backbone\.stage\d\.\d+\.branch1)\.3\.", r"\1.1.norm."),
    (r"(backbone\.stage\d\.\d+\.branch2)\.0\.(?=weight)", r"\1.0.conv."),
    (rf"(backbone\.stage\d\.\d+\.branch2)\.1\.(?={NORM_KEYS})", r"\1.0.norm."),
    (rf"(backbone\.stage\d\.\d+\.branch2)\.3\.(?={NORM_KEYS})", r"\1.1.conv."),
    (rf"(backbone\.stage\d\.\d+\.branch2)\.4\.(?={NORM_KEYS})", r"\1.1.norm."),
    (rf"(backbone\.stage\d\.\d+\.branch2)\.5\.(?={NORM_KEYS})", r"\1.2.conv."),
    (rf"(backbone\.stage\d\.\d+\.branch2)\.6\.(?={NORM_KEYS})", r"\1.2.norm."),
)
_GHOST_MODULES = (
    (r"\.primary_conv\.0\.", ".primary.conv."),
    (r"\.primary_conv\.1\.", ".primary.norm."),
    (r"\.cheap_operation\.0\.", ".cheap.conv."),
    (r"\.cheap_operation\.1\.", ".cheap.norm."),
    (rf"\.shortcut\.0\.(?={NORM_KEYS})", ".shortcut.0.conv."),
    (rf"\.shortcut\.1\.(?={NORM_KEYS})", ".shortcut.0.norm."),
    (rf"\.shortcut\.2\.(?={NORM_KEYS})", ".shortcut.1.conv."),
    (rf"\.shortcut\.3\.(?={NORM_KEYS})", ".shortcut.1.norm."),
)
_GHOSTNET = (
    (r"^backbone\.conv_stem\.", "backbone.stem.conv."),
    (r"^backbone\.bn1\.", "backbone.stem.norm."),
    (r"^backbone\.blocks\.9\.(?:0\.)?conv\.", "backbone.stages.9.conv."),
    (r"^backbone\.blocks\.9\.(?:0\.)?bn1\.", "backbone.stages.9.norm."),
    (r"^backbone\.blocks\.", "backbone.stages."),
    (r"\.conv_dw\.", ".depthwise.conv."),
    (r"\.bn_dw\.", ".depthwise.norm."),
    (r"\.se\.conv_reduce\.", ".squeeze_excite.reduce."),
    (r"\.se\.conv_expand\.", ".squeeze_excite.expand."),
)
_SEPARABLE = (
    (r"\.depthwise\.(?=weight$)", ".depthwise.conv."),
    (r"\.pointwise\.(?=weight$)", ".pointwise.conv."),
    (r"\.dwnorm\.", ".depthwise.norm."),
    (r"\.pwnorm\.", ".pointwise.norm."),
)
_NECK_AND_HEADS = (
    (r"^fpn\.", "neck."),
    (r"^aux_fpn\.", "agm_neck."),
    (r"^(neck|agm_neck)\.reduce_layers\.(\d)\.conv\.", r"\1.reduce.\2.conv."),
    (r"^(neck|agm_neck)\.reduce_layers\.(\d)\.bn\.", r"\1.reduce.\2.norm."),
    (r"^(neck|agm_neck)\.top_down_blocks\.(\d)\.blocks\.0\.", r"\1.top_down.\2."),
    (r"^(neck|agm_neck)\.bottom_up_blocks\.(\d)\.blocks\.0\.", r"\1.bottom_up.\2."),
    (r"^(neck|agm_neck)\.downsamples\.", r"\1.downsample."),
    (r"^(neck|agm_neck)\.extra_lvl_in_conv\.", r"\1.extra_from_reduced."),
    (r"^(neck|agm_neck)\.extra_lvl_out_conv\.", r"\1.extra_from_output."),
    (r"^head\.cls_convs\.", "head.stacks."),
    (r"^head\.gfl_cls\.", "head.predict."),
    (r"^aux_head\.cls_convs\.(\d)\.conv\.", r"agm_head.class_stack.\1.conv."),
    (r"^aux_head\.cls_convs\.(\d)\.gn\.", r"agm_head.class_stack.\1.norm."),
    (r"^aux_head\.reg_convs\.(\d)\.conv\.", r"agm_head.box_stack.\1.conv."),
    (r"^aux_head\.reg_convs\.(\d)\.gn\.", r"agm_head.box_stack.\1.norm."),
    (r"^aux_head\.gfl_cls\.", "agm_head.predict_classes."),
    (r"^aux_head\.gfl_reg\.", "agm_head.predict_boxes."),
)
_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (*_SHUFFLENET_V2, *_GHOSTNET, *_NECK_AND_HEADS, *_GHOST_MODULES, *_SEPARABLE)
)
_CONSTANTS = re.compile(r"^(aux_)?head\.distribution_project\.project$")
_SCALE = re.compile(r"^aux_head\.scales\.(\d)\.scale$")


def to_our_names(original: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors under the original's names to tensors under ours.

    The averaged weights (`avg_model.…`) are taken where the checkpoint has them, else `model.…`; the per-level scales
    of the AGM's head, separate scalars there, become one vector.

    Raises:
        CheckpointError: when the names are not those of a NanoDet-Plus model.
    """
    for prefix in ("avg_model.", "model."):
        names = {name.removeprefix(prefix): name for name in original if name.startswith(prefix)}
        if any(name.startswith("backbone.") for name in names):
            break
    else:
        raise CheckpointError(
            "The checkpoint has no tensors named model.backbone.…; it is not one of the original NanoDet project."
        )
    if not any(name.startswith("head.gfl_cls.") for name in names) or "head.distribution_project.project" not in names:
        raise CheckpointError("The checkpoint has no NanoDet-Plus head.")
    if any(name.startswith("head.reg_convs.") for name in names) or not any(
        name.startswith("fpn.reduce_layers.") for name in names
    ):
        raise CheckpointError(
            "The checkpoint is of the original NanoDet, not of NanoDet-Plus; only NanoDet-Plus can be imported."
        )
    ours: dict[str, torch.Tensor] = {}
    scales: dict[int, torch.Tensor] = {}
    for name, full_name in names.items():
        if _CONSTANTS.match(name):
            continue
        if scale := _SCALE.match(name):
            scales[int(scale.group(1))] = original[full_name].reshape(())
            continue
        for pattern, replacement in _RULES:
            name = pattern.sub(replacement, name)
        ours[name] = original[full_name]
    if scales:
        ours["agm_head.scales"] = torch.stack([scales[level] for level in sorted(scales)])
    return ours
