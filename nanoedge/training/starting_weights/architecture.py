"""Whether weights are of the architecture that they are to start: judged by the backbone, before any data are read."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from nanoedge.config.documents import shipped_configs
from nanoedge.config.load import load_config
from nanoedge.config.network import BackboneConfig
from nanoedge.config.schema import Config
from nanoedge.errors import CheckpointError
from nanoedge.models.backbones import build_backbone
from nanoedge.training.starting_weights.module_groups import NOT_LEARNED
from nanoedge.training.starting_weights.read import StartingWeights

LEAST_SHARE = 0.5  # of the backbone's tensors; below, next to nothing of what was learned would be used


def refuse_other_backbone(start: StartingWeights, config: Config) -> None:
    """Weights whose backbone does not fit would be random weights under another name.

    Raises:
        CheckpointError: when fewer than half of the backbone's tensors fit; says which architecture was expected, and
            which configurations the weights fit.
    """
    expected = config.model.backbone
    fitting, count = _fitting(start.tensors, expected)
    if fitting >= LEAST_SHARE * count:
        return
    wanted = f"{expected.name} of width {expected.width:g} with {expected.activation}"
    candidates = {name: load_config(name).model.backbone for name in shipped_configs()}
    known = {backbone: _fitting(start.tensors, backbone) for backbone in set(candidates.values())}
    others = [name for name, backbone in candidates.items() if known[backbone][0] == known[backbone][1]]
    hint = f"They fit {', '.join(others)}." if others else "They fit no configuration that ships with NanoEdge."
    raise CheckpointError(
        f"The weights {start.source} are of another architecture: only {fitting} of {count} tensors of the backbone "
        f"fit {config.name}, which expects {wanted}. {hint}"
    )


def _fitting(tensors: Mapping[str, torch.Tensor], backbone: BackboneConfig) -> tuple[int, int]:
    """How many of the backbone's tensors have a counterpart of their shape, and how many it has."""
    with torch.device("meta"):
        shapes = {f"backbone.{name}": tensor.shape for name, tensor in build_backbone(backbone).state_dict().items()}
    counted = {name: shape for name, shape in shapes.items() if not name.endswith(NOT_LEARNED)}
    fitting = sum(name in tensors and tensors[name].shape == shape for name, shape in counted.items())
    return fitting, len(counted)
