"""What goes where when weights meet another network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.config.network import ModelConfig
from nanoedge.config.schema import Config
from nanoedge.errors import CheckpointError
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.starting_weights.architecture import refuse_other_backbone
from nanoedge.training.starting_weights.fit import Fit, fit_weights, load_fit
from nanoedge.training.starting_weights.read import StartingWeights

SETTINGS = {
    "backbone": {"width": 0.5},
    "neck": {"channels": 32},
    "head": {"channels": 32, "reg_max": 7},
    "agm": {"channels": 32, "stacked_convs": 1},
}


def network(classes: int, seed: int = 0, **change: dict[str, object]) -> NanoDetPlus:
    torch.manual_seed(seed)
    groups = {name: {**group, **change.get(name, {})} for name, group in SETTINGS.items()}
    return NanoDetPlus(ModelConfig.model_validate(groups), classes)


def started(
    model: NanoDetPlus, classes: tuple[str, ...], source: NanoDetPlus, names: tuple[str, ...] | None, reg_max: int = 7
) -> Fit:
    bins = source.state_dict()["agm_head.predict_boxes.bias"].shape[0] // 4 if source.agm_head is not None else 8
    fit = fit_weights(model, classes, reg_max, StartingWeights("file", source.state_dict(), names, bins - 1))
    load_fit(model, fit)
    return fit


def test_the_same_network_is_taken_over_whole() -> None:
    model, source = network(3), network(3, seed=1)
    fit = started(model, ("a", "b", "c"), source, ("a", "b", "c"))
    assert (fit.left, fit.unused, fit.new_classes) == ((), (), ())
    assert len(fit.whole) == fit.count
    theirs = source.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in model.state_dict().items())


def test_classes_are_carried_over_by_name_and_boxes_with_them() -> None:
    model, source = network(3), network(4, seed=1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fit = started(model, ("cat", "new", "dog"), source, ("dog", "bird", "cat", "fox"))
    after, theirs = model.state_dict(), source.state_dict()
    for level in range(4):
        for part in ("weight", "bias"):
            name = f"head.predict.{level}.{part}"
            assert torch.equal(after[name][0], theirs[name][2])
            assert torch.equal(after[name][1], before[name][1])
            assert torch.equal(after[name][2], theirs[name][0])
            assert torch.equal(after[name][3:], theirs[name][4:])
    assert torch.equal(after["agm_head.predict_classes.weight"][2], theirs["agm_head.predict_classes.weight"][0])
    assert torch.equal(after["agm_head.predict_classes.bias"][1], before["agm_head.predict_classes.bias"][1])
    assert (fit.carried_classes, fit.new_classes) == (("cat", "dog"), ("new",))
    assert fit.left == ("head.predict.0-3, agm_head.predict_classes (another number of classes)",)
    assert "classes carried over by name: cat, dog; new: new" in fit.sentences()


def test_classes_in_another_order_are_all_carried_over() -> None:
    model, source = network(2), network(2, seed=1)
    fit = started(model, ("b", "a"), source, ("a", "b"))
    assert fit.left == ()
    assert torch.equal(
        model.state_dict()["head.predict.2.bias"][[1, 0]], source.state_dict()["head.predict.2.bias"][:2]
    )


def test_other_classes_of_the_same_number_start_at_random() -> None:
    model, source = network(2), network(2, seed=1)
    before = model.state_dict()["head.predict.0.weight"].clone()
    fit = started(model, ("a", "b"), source, ("c", "d"))
    after = model.state_dict()["head.predict.0.weight"]
    assert torch.equal(after[:2], before[:2])
    assert torch.equal(after[2:], source.state_dict()["head.predict.0.weight"][2:])
    assert fit.left == ("head.predict.0-3, agm_head.predict_classes (other class names)",)


def test_classes_are_carried_over_when_the_boxes_bins_differ() -> None:
    model, source = network(3, head={"reg_max": 5}), network(3, seed=1)
    before = model.state_dict()["head.predict.0.weight"].clone()
    fit = started(model, ("a", "b", "c"), source, ("c", "b", "x"), reg_max=5)
    after, theirs = model.state_dict()["head.predict.0.weight"], source.state_dict()["head.predict.0.weight"]
    assert torch.equal(after[[2, 1]], theirs[:2])
    assert torch.equal(after[0], before[0])
    assert torch.equal(after[3:], before[3:])
    assert "head.predict.0-3 (other class names, another reg_max)" in fit.left
    assert "agm_head.predict_boxes (another shape)" in fit.left


def test_unknown_names_are_taken_where_their_number_agrees() -> None:
    model, source = network(3), network(3, seed=1)
    assert started(model, ("a", "b", "c"), source, None).left == ()
    model = network(2)
    fit = started(model, ("a", "b"), source, None)
    assert fit.left == ("head.predict.0-3, agm_head.predict_classes (unknown class names)",)
    assert torch.equal(model.state_dict()["head.predict.1.bias"][2:], source.state_dict()["head.predict.1.bias"][3:])


def test_without_an_agm_in_the_file_its_neck_is_a_copy_of_the_loaded_neck() -> None:
    model, source = network(3), network(3, seed=1, agm={"enabled": False})
    fit = started(model, ("a", "b", "c"), source, ("a", "b", "c"))
    neck = source.neck.state_dict()
    assert model.agm_neck is not None
    assert all(torch.equal(tensor, neck[name]) for name, tensor in model.agm_neck.state_dict().items())
    assert fit.agm_neck_copied
    assert fit.left == ("agm_head (not in the file)",)


def test_what_only_the_file_has_is_listed_by_module() -> None:
    model, source = network(3, agm={"enabled": False}), network(3, seed=1, neck={"extra_levels": 2})
    fit = started(model, ("a", "b", "c"), source, ("a", "b", "c"))
    assert fit.unused == (
        "neck.extra_from_reduced.1, neck.extra_from_output.1, head.stacks.4, head.predict.4, agm_neck, agm_head",
    )


def test_another_neck_is_listed_in_a_line() -> None:
    model, source = network(3), network(3, seed=1, neck={"channels": 48}, head={"channels": 32})
    fit = started(model, ("a", "b", "c"), source, ("a", "b", "c"))
    (told,) = fit.left
    assert told.startswith("neck, head.stacks.0.0.depthwise") and told.endswith("(another shape)")
    assert len(told) < 400


# --- architecture --------------------------------------------------------------------------------------------------


def config(name: str, *overrides: str) -> Config:
    return load_config(name, overrides)


def weights_of(name: str) -> StartingWeights:
    model = NanoDetPlus(load_config(name).model, 3)
    return StartingWeights(f"{name}.ckpt", model.state_dict(), ("a", "b", "c"), 7)


def test_another_width_is_refused_with_the_configurations_that_fit() -> None:
    with pytest.raises(CheckpointError, match="another architecture") as caught:
        refuse_other_backbone(weights_of("nanodet-plus-m-1.5x_320"), config("nanodet-plus-m_320"))
    told = str(caught.value)
    assert "nanodet-plus-m_320, which expects shufflenet_v2 of width 1 " in told
    assert "They fit nanodet-plus-m-1.5x_320, nanodet-plus-m-1.5x_416." in told


def test_another_backbone_is_refused_though_counters_fit() -> None:
    """`num_batches_tracked` has the shape of a scalar everywhere."""
    start = weights_of("nanodet-plus-m_320")
    only_counters = {
        name: tensor if name.endswith("num_batches_tracked") else torch.zeros(1, 2, 3)
        for name, tensor in start.tensors.items()
    }
    with pytest.raises(CheckpointError, match=r"only 0 of 275 tensors .* They fit no configuration"):
        refuse_other_backbone(StartingWeights("x", only_counters), config("nanodet-plus-m_320"))
    with pytest.raises(CheckpointError, match="another architecture"):
        refuse_other_backbone(start, config("nanodet-plus-ghost_320"))


def test_a_backbone_of_which_most_fits_is_taken() -> None:
    start = weights_of("nanodet-plus-m_320")
    kept = {name: tensor for name, tensor in start.tensors.items() if not name.startswith("backbone.stage4")}
    refuse_other_backbone(StartingWeights("x", kept), config("nanodet-plus-m_416"))


def test_a_refused_start_leaves_no_folder(tmp_path: Path, small_run: Path, small_settings: list[str], nanoedge) -> None:
    out = tmp_path / "run"
    settings = [*small_settings, "model.backbone.width=1.0"]
    weights = small_run / "checkpoints" / "best.ckpt"
    done = nanoedge("train", "demo", *settings, "--weights", str(weights), "--out", str(out), expect=2)
    assert "another architecture" in done.stderr and "demo" in done.stderr
    assert not out.exists()
