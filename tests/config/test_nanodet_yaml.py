"""The original project's YAML: what it says is taken over, what we cannot reproduce is refused by its key."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from nanoedge.config.load import load_config
from nanoedge.config.nanodet_yaml import config_from_nanodet_yaml, path_stem
from nanoedge.config.schema import Config
from nanoedge.errors import ConfigError

CLASSES = ["ant", "bee", "cat"]
NORMALIZE = [[103.53, 116.28, 123.675], [57.375, 57.12, 58.395]]
ORIGINAL: dict[str, Any] = {
    "save_dir": "workspace/mine",
    "model": {
        "weight_averager": {"name": "ExpMovingAverager", "decay": 0.9995},
        "arch": {
            "name": "NanoDetPlus",
            "detach_epoch": 12,
            "backbone": {
                "name": "ShuffleNetV2",
                "model_size": "1.5x",
                "out_stages": [2, 3, 4],
                "activation": "LeakyReLU",
            },
            "fpn": {
                "name": "GhostPAN",
                "in_channels": [176, 352, 704],
                "out_channels": 128,
                "kernel_size": 5,
                "num_extra_level": 1,
                "use_depthwise": True,
                "activation": "LeakyReLU",
            },
            "head": {
                "name": "NanoDetPlusHead",
                "num_classes": 3,
                "input_channel": 128,
                "feat_channels": 128,
                "stacked_convs": 3,
                "kernel_size": 7,
                "strides": [8, 16, 32, 64],
                "activation": "SiLU",
                "reg_max": 15,
                "norm_cfg": {"type": "BN"},
                "loss": {
                    "loss_qfl": {"name": "QualityFocalLoss", "use_sigmoid": True, "beta": 1.5, "loss_weight": 0.9},
                    "loss_dfl": {"name": "DistributionFocalLoss", "loss_weight": 0.3},
                    "loss_bbox": {"name": "GIoULoss", "loss_weight": 2.5},
                },
            },
            "aux_head": {
                "name": "SimpleConvHead",
                "num_classes": 3,
                "input_channel": 256,
                "feat_channels": 256,
                "stacked_convs": 2,
                "strides": [8, 16, 32, 64],
                "activation": "SiLU",
                "reg_max": 15,
            },
        },
    },
    "data": {
        "train": {
            "name": "CocoDataset",
            "img_path": "/somewhere/train",
            "ann_path": "/somewhere/train.json",
            "input_size": [416, 320],
            "keep_ratio": False,
            "pipeline": {
                "perspective": 0.0,
                "scale": [0.5, 1.5],
                "stretch": [[0.7, 1.3], [0.7, 1.3]],
                "rotation": 0,
                "shear": 0,
                "translate": 0.1,
                "flip": 0.4,
                "brightness": 0.3,
                "contrast": [0.7, 1.3],
                "saturation": [0.6, 1.1],
                "normalize": NORMALIZE,
            },
        },
        "val": {
            "name": "CocoDataset",
            "img_path": "/somewhere/val",
            "ann_path": "/somewhere/val.json",
            "input_size": [416, 320],
            "keep_ratio": False,
            "pipeline": {"normalize": NORMALIZE},
        },
    },
    "device": {"gpu_ids": [0], "workers_per_gpu": 10, "batchsize_per_gpu": 64},
    "schedule": {
        "optimizer": {"name": "AdamW", "lr": 0.002, "weight_decay": 0.04},
        "warmup": {"name": "linear", "steps": 300, "ratio": 0.0001},
        "total_epochs": 120,
        "lr_schedule": {"name": "CosineAnnealingLR", "T_max": 120, "eta_min": 0.0001},
        "val_intervals": 5,
    },
    "grad_clip": 30,
    "evaluator": {"name": "CocoDetectionEvaluator", "save_key": "mAP"},
    "log": {"interval": 50},
    "class_names": CLASSES,
}
ABSENT = object()


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The original's document with some dotted keys set or, with `ABSENT`, left out."""
    document = copy.deepcopy(ORIGINAL)
    for place, value in changes.items():
        *parents, last = place.split(".")
        group = document
        for parent in parents:
            group = group[parent]
        if value is ABSENT:
            del group[last]
        else:
            group[last] = value
    return document


@pytest.fixture
def read(tmp_path: Path):
    """Reads the original's YAML with some keys changed."""

    def read(changes: dict[str, Any] | None = None) -> Config:
        path = tmp_path / "nanodet-mine.yml"
        path.write_text(yaml.safe_dump(changed(changes or {})), encoding="utf-8")
        return config_from_nanodet_yaml(path)

    return read


def test_every_key_that_decides_about_the_network_is_taken_over(read) -> None:
    model = read().model
    assert (model.backbone.name, model.backbone.width, model.backbone.activation) == (
        "shufflenet_v2",
        1.5,
        "leaky_relu",
    )
    assert (model.neck.channels, model.neck.kernel_size, model.neck.extra_levels) == (128, 5, 1)
    head = model.head
    assert (head.channels, head.stacked_convs, head.kernel_size, head.reg_max) == (128, 3, 7, 15)
    assert head.activation == "silu"
    assert model.agm.enabled
    assert (model.agm.channels, model.agm.stacked_convs, model.agm.detach_epoch) == (256, 2, 12)
    assert model.strides == (8, 16, 32, 64)


def test_input_and_classes_are_taken_over_with_width_before_height(read) -> None:
    config = read()
    assert config.name == "nanodet-mine" and config.classes == tuple(CLASSES)
    assert (config.input.width, config.input.height, config.input.resize) == (416, 320, "stretch")
    assert config.input.mean == tuple(NORMALIZE[0]) and config.input.std == tuple(NORMALIZE[1])


def test_losses_augmentation_and_schedule_are_taken_over(read) -> None:
    config = read()
    loss, augmentation, training = config.loss, config.augmentation, config.training
    assert (loss.quality_focal, loss.quality_focal_beta, loss.distribution_focal, loss.giou) == (0.9, 1.5, 0.3, 2.5)
    assert (augmentation.scale, augmentation.stretch) == ((0.5, 1.5), (0.7, 1.3))
    assert (augmentation.translate, augmentation.flip, augmentation.brightness) == (0.1, 0.4, 0.3)
    assert (augmentation.contrast, augmentation.saturation) == ((0.7, 1.3), (0.6, 1.1))
    assert (training.epochs, training.batch_size, training.evaluate_every) == (120, 64, 5)
    assert (training.learning_rate, training.final_learning_rate, training.weight_decay) == (0.002, 0.0001, 0.04)
    assert (training.warmup_steps, training.gradient_clip, training.ema_decay) == (300, 30, 0.9995)


def test_the_published_320_configuration_becomes_ours(read) -> None:
    """The values of the original's nanodet-plus-m_320.yml."""
    ours = load_config("nanodet-plus-m_320")
    theirs = read(
        {
            "model.weight_averager.decay": 0.9998,
            "model.arch.detach_epoch": 10,
            "model.arch.backbone.model_size": "1.0x",
            "model.arch.fpn.out_channels": 96,
            "model.arch.head.feat_channels": 96,
            "model.arch.head.stacked_convs": 2,
            "model.arch.head.kernel_size": 5,
            "model.arch.head.activation": "LeakyReLU",
            "model.arch.head.reg_max": 7,
            "model.arch.head.loss": {
                "loss_qfl": {"beta": 2.0, "loss_weight": 1.0},
                "loss_dfl": {"loss_weight": 0.25},
                "loss_bbox": {"loss_weight": 2.0},
            },
            "model.arch.aux_head": {
                "name": "SimpleConvHead",
                "num_classes": 3,
                "input_channel": 192,
                "feat_channels": 192,
                "stacked_convs": 4,
                "strides": [8, 16, 32, 64],
                "activation": "LeakyReLU",
                "reg_max": 7,
            },
            "data.train.input_size": [320, 320],
            "data.val.input_size": [320, 320],
            "data.train.pipeline": {
                "perspective": 0.0,
                "scale": [0.6, 1.4],
                "stretch": [[0.8, 1.2], [0.8, 1.2]],
                "rotation": 0,
                "shear": 0,
                "translate": 0.2,
                "flip": 0.5,
                "brightness": 0.2,
                "contrast": [0.6, 1.4],
                "saturation": [0.5, 1.2],
                "normalize": NORMALIZE,
            },
            "device.batchsize_per_gpu": 96,
            "schedule.optimizer": {"name": "AdamW", "lr": 0.001, "weight_decay": 0.05},
            "schedule.warmup.steps": 500,
            "schedule.total_epochs": 300,
            "schedule.lr_schedule.eta_min": 0.00005,
            "schedule.val_intervals": 10,
            "grad_clip": 35,
        }
    )
    for group in ("model", "input", "assigner", "loss", "augmentation", "training"):
        assert getattr(theirs, group) == getattr(ours, group)


def test_a_ghostnet_backbone_is_read_with_its_own_keys(read) -> None:
    backbone = {"name": "GhostNet", "width_mult": 1.3, "out_stages": [4, 6, 9], "activation": "ReLU6"}
    read_backbone = read({"model.arch.backbone": backbone}).model.backbone
    assert (read_backbone.name, read_backbone.width, read_backbone.activation) == ("ghostnet", 1.3, "relu6")


def test_a_key_that_is_left_out_has_the_originals_default(read) -> None:
    """The defaults of the original's constructors: ReLU in both backbones, widths 1.5x and 1.0."""
    shuffle = read({"model.arch.backbone": {"name": "ShuffleNetV2", "out_stages": [2, 3, 4]}}).model.backbone
    assert (shuffle.activation, shuffle.width) == ("relu", 1.5)
    ghost = read({"model.arch.backbone": {"name": "GhostNet"}}).model.backbone
    assert (ghost.activation, ghost.width) == ("relu", 1.0)
    absent = ("feat_channels", "stacked_convs", "kernel_size", "reg_max", "activation")
    alike = {"model.arch.aux_head.reg_max": 7, "model.arch.aux_head.activation": "LeakyReLU"}
    head = read({f"model.arch.head.{key}": ABSENT for key in absent} | alike).model.head
    assert (head.channels, head.stacked_convs, head.kernel_size, head.reg_max) == (96, 2, 5, 7)
    assert head.activation == "leaky_relu"
    assert read({"model.arch.aux_head.feat_channels": ABSENT}).model.agm.channels == 256
    assert read({"model.arch.detach_epoch": ABSENT}).model.agm.detach_epoch == 0


def test_a_neck_without_depthwise_convolutions_is_refused_also_when_that_is_the_default(read) -> None:
    """`use_depthwise` is False in the original where it is left out."""
    with pytest.raises(ConfigError, match=r"model\.arch\.fpn\.use_depthwise"):
        read({"model.arch.fpn.use_depthwise": ABSENT})


def test_without_an_auxiliary_head_there_is_no_agm(read) -> None:
    assert not read({"model.arch.aux_head": ABSENT}).model.agm.enabled


def test_a_configuration_without_class_names_takes_those_of_the_data(read) -> None:
    assert read({"class_names": ABSENT}).classes is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model.arch.name": "OneStageDetector"}, r"model\.arch\.name is 'OneStageDetector'; only NanoDetPlus"),
        ({"model.arch.name": "GFL"}, "only NanoDetPlus"),
        ({"model.arch.head.name": "NanoDetHead"}, r"model\.arch\.head\.name is 'NanoDetHead'.*'NanoDetPlusHead'"),
        ({"model.arch.head.name": "GFLHead"}, r"model\.arch\.head\.name is 'GFLHead'"),
        ({"model.arch.head.norm_cfg.type": "GN"}, r"model\.arch\.head\.norm_cfg\.type is 'GN'"),
        ({"model.arch.head.strides": [8, 16, 32]}, r"model\.arch\.head\.strides is \[8, 16, 32\]"),
        ({"model.arch.head.conv_type": "Conv"}, r"model\.arch\.head\.conv_type"),
        ({"model.arch.head.activation": "GELU"}, r"'GELU' at model\.arch\.head\.activation is not known"),
        ({"model.arch.backbone.name": "RepVGG"}, "'RepVGG' is not one of ShuffleNetV2, GhostNet"),
        ({"model.arch.backbone.out_stages": [3, 4]}, r"backbone\.out_stages is \[3, 4\]"),
        ({"model.arch.backbone.with_last_conv": True}, r"backbone\.with_last_conv is True"),
        ({"model.arch.fpn.name": "PAN"}, r"model\.arch\.fpn\.name is 'PAN'"),
        ({"model.arch.fpn.use_depthwise": False}, r"fpn\.use_depthwise is False"),
        ({"model.arch.fpn.use_res": True}, r"fpn\.use_res is True"),
        ({"model.arch.fpn.num_blocks": 2}, r"fpn\.num_blocks is 2"),
        ({"model.arch.aux_head.name": "NanoDetHead"}, r"aux_head\.name is 'NanoDetHead'"),
        ({"model.arch.aux_head.reg_max": 16}, r"aux_head\.reg_max"),
        ({"model.arch.aux_head.reg_max": ABSENT}, r"aux_head\.reg_max"),
        ({"model.arch.aux_head.activation": "ReLU"}, r"aux_head\.activation"),
        ({"data.val.keep_ratio": True}, r"data\.val\.keep_ratio is True"),
        ({"data.train.keep_ratio": True}, r"data\.train\.keep_ratio is True"),
        ({"data.train.input_size": [640, 640]}, r"data\.train\.input_size"),
        ({"data.train.pipeline.rotation": 10}, r"data\.train\.pipeline\.rotation is not 0"),
        ({"data.train.pipeline.shear": 2}, r"pipeline\.shear is not 0"),
        ({"data.train.pipeline.perspective": 0.1}, r"pipeline\.perspective is not 0"),
        ({"data.train.pipeline.stretch": [[0.7, 1.3], [1, 1]]}, r"pipeline\.stretch"),
        ({"class_names": ["ant", "bee"]}, "2 class_names stand beside num_classes 3"),
        ({"schedule.optimizer.name": "SGD"}, r"schedule\.optimizer\.name is 'SGD'"),
        ({"schedule.lr_schedule.name": "MultiStepLR"}, r"schedule\.lr_schedule\.name is 'MultiStepLR'"),
    ],
)
def test_what_cannot_be_reproduced_is_refused_by_its_key(read, changes: dict, sentence: str) -> None:
    with pytest.raises(ConfigError, match=r"nanodet-mine\.yml: .*" + sentence):
        read(changes)


@pytest.mark.parametrize(
    "place",
    [
        "model",
        "model.arch.backbone.name",
        "model.arch.head.num_classes",
        "data.val.input_size",
        "data.val.pipeline.normalize",
        "schedule.total_epochs",
        "device",
    ],
)
def test_a_key_that_is_missing_is_named(read, place: str) -> None:
    with pytest.raises(ConfigError, match=place.replace(".", r"\.") + ".* is missing"):
        read({place: ABSENT})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("model.arch", "NanoDetPlus"),
        ("model.arch.backbone.name", ["ShuffleNetV2"]),
        ("model.arch.backbone.model_size", "large"),
        ("model.arch.backbone.model_size", "1.25x"),
        ("model.arch.head.activation", ["ReLU"]),
        ("model.arch.fpn.num_extra_level", "one"),
        ("data.val.input_size", 416),
        ("data.val.input_size", [416, 320, 3]),
        ("data.val.pipeline.normalize", [103.53, 116.28, 123.675]),
        ("data.train.pipeline.stretch", 1.2),
        ("class_names", 3),
        ("schedule.total_epochs", "many"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_in_a_sentence(read, place: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=r"nanodet-mine\.yml: "):
        read({place: value})


def test_a_file_that_is_no_nanodet_configuration_says_so() -> None:
    from nanoedge.config.documents import shipped_configs

    with pytest.raises(ConfigError, match=r"model\.arch is missing; it is no NanoDet-Plus configuration"):
        config_from_nanodet_yaml(shipped_configs()["demo"])


@pytest.mark.parametrize(
    ("file", "name"),
    [("nanodet-plus-m_320.yml", "nanodet-plus-m_320"), ("my net (2).yml", "my_net__2_"), ("ä.yml", "nanodet-plus")],
)
def test_the_files_name_becomes_the_runs_name(file: str, name: str) -> None:
    assert path_stem(Path(file)) == name
