"""The original NanoDet-Plus project's YAML to our configuration.

Only keys that decide about the network, its input and its training are read; paths and devices are not. What we cannot
reproduce (another architecture, aspect-preserving resize, rotation) is refused rather than ignored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nanoedge.config.documents import read_yaml
from nanoedge.config.load import config_from_dict
from nanoedge.config.schema import Config
from nanoedge.errors import ConfigError

_ACTIVATIONS = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "LeakyReLU": "leaky_relu",
    "HSwish": "hard_swish",
    "SiLU": "silu",
    "Swish": "silu",
}
_BACKBONES = {"ShuffleNetV2": "shufflenet_v2", "GhostNet": "ghostnet"}
_BACKBONE_STAGES = {"ShuffleNetV2": [2, 3, 4], "GhostNet": [4, 6, 9]}
_DEFAULT_ACTIVATION = "ReLU"  # of the original's backbones


def config_from_nanodet_yaml(path: Path) -> Config:
    """Read the original's YAML.

    Raises:
        ConfigError: when it is no NanoDet-Plus configuration, or asks for something that NanoEdge does not do.
    """
    return config_from_dict(_Reader(path).convert(), str(path))


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.document = read_yaml(path)

    def convert(self) -> dict[str, Any]:
        arch = self.group("model.arch")
        if arch.get("name") != "NanoDetPlus":
            raise ConfigError(
                f"{self.path}: model.arch.name is {arch.get('name')!r}; only NanoDetPlus can be imported."
            )
        classes = self.document.get("class_names")
        count = self.value("model.arch.head.num_classes")
        if classes is not None and not isinstance(classes, list):
            raise ConfigError(f"{self.path}: class_names must be a list, not {classes!r}.")
        if classes is not None and len(classes) != count:
            raise ConfigError(f"{self.path}: {len(classes)} class_names stand beside num_classes {count}.")
        return {
            "name": path_stem(self.path),
            "classes": classes,
            "model": {
                "backbone": self.backbone(),
                "neck": self.neck(),
                "head": self.head(),
                "agm": self.agm(),
            },
            "input": self.input(),
            "data": {
                "train": {"annotations": "annotations/train.json", "images": "train"},
                "val": {"annotations": "annotations/val.json", "images": "val"},
            },
            "loss": self.loss(),
            "augmentation": self.augmentation(),
            "training": self.training(),
        }

    def group(self, place: str) -> dict[str, Any]:
        found = self.value(place)
        if not isinstance(found, dict):
            raise ConfigError(f"{self.path}: {place} must hold keys.")
        return found

    def value(self, place: str, default: Any = ...) -> Any:
        found: Any = self.document
        for part in place.split("."):
            if not isinstance(found, dict) or part not in found:
                if default is ...:
                    raise ConfigError(f"{self.path}: the key {place} is missing; it is no NanoDet-Plus configuration.")
                return default
            found = found[part]
        return found

    def require(self, place: str, wanted: Any, default: Any = ...) -> None:
        found = self.value(place, wanted if default is ... else default)
        if found != wanted:
            raise ConfigError(f"{self.path}: {place} is {found!r}; NanoEdge can import only {wanted!r} there.")

    def pair(self, place: str, default: Any = ...) -> list[Any]:
        found = self.value(place, default)
        if not isinstance(found, list) or len(found) != 2:
            raise ConfigError(f"{self.path}: {place} must be a list of two, not {found!r}.")
        return found

    def activation(self, place: str, default: str) -> str:
        name = self.value(place, default)
        if not isinstance(name, str) or name not in _ACTIVATIONS:
            raise ConfigError(f"{self.path}: the activation {name!r} at {place} is not known.")
        return _ACTIVATIONS[name]

    def backbone(self) -> dict[str, Any]:
        name = self.value("model.arch.backbone.name")
        if not isinstance(name, str) or name not in _BACKBONES:
            raise ConfigError(f"{self.path}: the backbone {name!r} is not one of {', '.join(_BACKBONES)}.")
        self.require("model.arch.backbone.out_stages", _BACKBONE_STAGES[name])
        if name == "ShuffleNetV2":
            self.require("model.arch.backbone.with_last_conv", False)
            width = str(self.value("model.arch.backbone.model_size", "1.5x")).removesuffix("x")
        else:
            width = self.value("model.arch.backbone.width_mult", 1.0)
        activation = self.activation("model.arch.backbone.activation", _DEFAULT_ACTIVATION)
        return {"name": _BACKBONES[name], "width": width, "activation": activation}

    def neck(self) -> dict[str, Any]:
        self.require("model.arch.fpn.name", "GhostPAN")
        self.require("model.arch.fpn.use_depthwise", True, default=False)
        for key, wanted in (("expand", 1), ("num_blocks", 1), ("use_res", False)):
            self.require(f"model.arch.fpn.{key}", wanted)
        return {
            "name": "ghost_pan",
            "channels": self.value("model.arch.fpn.out_channels"),
            "kernel_size": self.value("model.arch.fpn.kernel_size", 5),
            "extra_levels": self.value("model.arch.fpn.num_extra_level", 0),
            "activation": self.activation("model.arch.fpn.activation", "LeakyReLU"),
        }

    def head(self) -> dict[str, Any]:
        self.require("model.arch.head.name", "NanoDetPlusHead")
        self.require("model.arch.head.norm_cfg.type", "BN")
        self.require("model.arch.head.conv_type", "DWConv")
        extra = self.value("model.arch.fpn.num_extra_level", 0)
        if not isinstance(extra, int) or not 0 <= extra <= 2:
            raise ConfigError(f"{self.path}: model.arch.fpn.num_extra_level is {extra!r}; it must be 0, 1 or 2.")
        self.require("model.arch.head.strides", [8 * 2**level for level in range(3 + extra)], default=[8, 16, 32])
        return {
            "name": "nanodet_plus",
            "channels": self.value("model.arch.head.feat_channels", 96),
            "stacked_convs": self.value("model.arch.head.stacked_convs", 2),
            "kernel_size": self.value("model.arch.head.kernel_size", 5),
            "reg_max": self.value("model.arch.head.reg_max", 7),
            "activation": self.activation("model.arch.head.activation", "LeakyReLU"),
        }

    def agm(self) -> dict[str, Any]:
        if self.value("model.arch.aux_head", None) is None:
            return {"enabled": False}
        self.require("model.arch.aux_head.name", "SimpleConvHead")
        self.require("model.arch.aux_head.reg_max", self.value("model.arch.head.reg_max", 7), default=16)
        activation = self.value("model.arch.head.activation", "LeakyReLU")
        self.require("model.arch.aux_head.activation", activation, default="LeakyReLU")
        return {
            "enabled": True,
            "channels": self.value("model.arch.aux_head.feat_channels", 256),
            "stacked_convs": self.value("model.arch.aux_head.stacked_convs", 4),
            "detach_epoch": self.value("model.arch.detach_epoch", 0),
        }

    def input(self) -> dict[str, Any]:
        width, height = self.pair("data.val.input_size")
        self.require("data.train.input_size", [width, height])
        self.require("data.train.keep_ratio", False)
        self.require("data.val.keep_ratio", False)
        mean, std = self.pair("data.val.pipeline.normalize")
        return {"width": width, "height": height, "resize": "stretch", "mean": mean, "std": std}

    def loss(self) -> dict[str, Any]:
        place = "model.arch.head.loss"
        return {
            "quality_focal": self.value(f"{place}.loss_qfl.loss_weight", 1.0),
            "quality_focal_beta": self.value(f"{place}.loss_qfl.beta", 2.0),
            "distribution_focal": self.value(f"{place}.loss_dfl.loss_weight", 0.25),
            "giou": self.value(f"{place}.loss_bbox.loss_weight", 2.0),
        }

    def augmentation(self) -> dict[str, Any]:
        place = "data.train.pipeline"
        for key in ("perspective", "rotation", "shear"):
            if self.value(f"{place}.{key}", 0) not in (0, 0.0):
                raise ConfigError(f"{self.path}: {place}.{key} is not 0; NanoEdge does not augment that way.")
        across, down = self.pair(f"{place}.stretch", [[1, 1], [1, 1]])
        if across != down:
            raise ConfigError(
                f"{self.path}: {place}.stretch differs in width and height; NanoEdge stretches both alike."
            )
        return {
            "scale": self.value(f"{place}.scale", [1, 1]),
            "stretch": across,
            "translate": self.value(f"{place}.translate", 0),
            "flip": self.value(f"{place}.flip", 0),
            "brightness": self.value(f"{place}.brightness", 0),
            "contrast": self.value(f"{place}.contrast", [1, 1]),
            "saturation": self.value(f"{place}.saturation", [1, 1]),
        }

    def training(self) -> dict[str, Any]:
        self.require("schedule.optimizer.name", "AdamW")
        self.require("schedule.lr_schedule.name", "CosineAnnealingLR")
        return {
            "epochs": self.value("schedule.total_epochs"),
            "batch_size": self.value("device.batchsize_per_gpu"),
            "learning_rate": self.value("schedule.optimizer.lr"),
            "final_learning_rate": self.value("schedule.lr_schedule.eta_min", 0.00005),
            "weight_decay": self.value("schedule.optimizer.weight_decay", 0.05),
            "warmup_steps": self.value("schedule.warmup.steps", 500),
            "gradient_clip": self.value("grad_clip", 35),
            "ema_decay": self.value("model.weight_averager.decay", 0.9998),
            "evaluate_every": self.value("schedule.val_intervals", 10),
        }


def path_stem(path: Path) -> str:
    """The file's name without suffix, as a configuration's name."""
    cleaned = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in path.stem
    )
    return cleaned.lstrip("._-") or "nanodet-plus"
