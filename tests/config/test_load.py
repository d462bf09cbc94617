"""Reading configurations: shipped ones, overrides, and sentences that name the key that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from nanoedge.config.documents import read_yaml, shipped_configs
from nanoedge.config.interface import DecoderSpec, InputSpec, Interface, PostprocessSpec
from nanoedge.config.load import config_with, find_config, load_config
from nanoedge.config.network import ModelConfig
from nanoedge.config.recipes import SHIPPED_RECIPES, filled_in, recipe_document
from nanoedge.config.schema import AssignerConfig, AugmentationConfig, LossConfig, TrainingConfig
from nanoedge.errors import ConfigError, InputError
from pydantic import BaseModel, ValidationError

PROMISED = {
    "nanodet-plus-m_320",
    "nanodet-plus-m_416",
    "nanodet-plus-m-1.5x_320",
    "nanodet-plus-m-1.5x_416",
    "nanodet-plus-m-0.5x_320",
    "nanodet-plus-ghost_320",
    "nanodet-plus-efficientnet-lite0_320",
    "nanodet-plus-efficientnet-lite1_416",
    "nanodet-plus-efficientnet-lite2_512",
    "bccd_320",
    "demo",
}
NOT_PUBLISHED = {
    *("accelerator", "devices", "threads", "recompute", "accumulate", "precision", "compile"),
    *("freeze", "freeze_norms", "imagenet_backbone"),
    *("early_stopping", "keep_every", "deterministic", "report"),
    *("min_box_size", "min_visible"),
}
MINIMAL = """
name: mine
data:
  train: {annotations: train.json, images: train}
  val: {annotations: val.json, images: val}
"""


@pytest.fixture
def written(tmp_path: Path):
    """Writes a configuration that is `MINIMAL` plus some lines, and gives its path."""

    def write(more: str = "", base: str = MINIMAL) -> str:
        path = tmp_path / "mine.yaml"
        path.write_text(base + more, encoding="utf-8")
        return str(path)

    return write


def missing_keys(document: Any, model: type[BaseModel], place: str = "") -> list[str]:
    """Fields of the model that the document does not spell out."""
    missing = []
    for name, field in model.model_fields.items():
        if name in NOT_PUBLISHED:
            continue
        if name not in document:
            missing.append(place + name)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            missing += missing_keys(document[name], field.annotation, f"{place}{name}.")
    return missing


# --- what is shipped -----------------------------------------------------------------------------------------------


def test_the_promised_configurations_are_shipped() -> None:
    assert set(shipped_configs()) >= PROMISED


@pytest.mark.parametrize("name", sorted(shipped_configs()))
def test_a_shipped_configuration_loads_and_is_named_after_its_file(name: str) -> None:
    assert load_config(name).name == name


@pytest.mark.parametrize("name", sorted(shipped_configs()))
@pytest.mark.parametrize(
    ("group", "model"),
    [
        ("model", ModelConfig),
        ("assigner", AssignerConfig),
        ("loss", LossConfig),
        ("augmentation", AugmentationConfig),
        ("training", TrainingConfig),
        ("postprocess", PostprocessSpec),
    ],
)
def test_a_shipped_configuration_spells_out_every_hyper_parameter(
    name: str, group: str, model: type[BaseModel]
) -> None:
    """In its own file or, where that leaves it to a recipe, in the recipe's."""
    document = yaml.safe_load(shipped_configs()[name].read_text(encoding="utf-8"))
    recipe = {"auto": "nanodet-plus"}.get(document["recipe"], document["recipe"])
    assert missing_keys(filled_in(document, recipe)[group], model) == []


@pytest.mark.parametrize("name", SHIPPED_RECIPES)
def test_a_recipe_states_every_setting_of_augmentation(name: str) -> None:
    assert missing_keys(recipe_document(name)["augmentation"], AugmentationConfig) == []


def test_below_5000_pictures_a_configuration_without_a_recipe_gets_that_for_small_data() -> None:
    config = load_config("nanodet-plus-m_320", ["training.epochs=7", "augmentation.flip=0.25"])
    assert config.recipe == "auto"
    small, large = config.for_pictures(4999), config.for_pictures(5000)
    assert (small.recipe, large.recipe) == ("small-data", "nanodet-plus")
    assert small.augmentation.mosaic > 0 and large.augmentation.mosaic == 0
    assert small.training.batch_size < large.training.batch_size == 96
    for chosen in (small, large):
        assert (chosen.training.epochs, chosen.augmentation.flip) == (7, 0.25)
    assert (large.augmentation, large.training) == (config.augmentation, config.training)


def test_what_a_configuration_states_is_stronger_than_its_recipe(written) -> None:
    config = load_config(written("recipe: small-data\naugmentation: {mosaic: 0.125}\n"))
    small = load_config(written("recipe: small-data\n"))
    assert config.augmentation.mosaic == 0.125
    assert config.augmentation.model_copy(update={"mosaic": small.augmentation.mosaic}) == small.augmentation
    assert config.for_pictures(100_000) == config


def test_a_run_keeps_what_its_recipe_meant(written, tmp_path: Path) -> None:
    chosen = load_config("nanodet-plus-m_320").for_pictures(300)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(chosen.model_dump(mode="json")))
    assert load_config(str(path)) == chosen


def test_an_unknown_recipe_is_answered_with_the_known_ones(written) -> None:
    with pytest.raises(ConfigError, match=r"recipe: .*'nanodet-plus', 'small-data' or 'fine-tuning'"):
        load_config(written("recipe: tiny\n"))


def test_nanodet_plus_m_is_trained_as_published() -> None:
    config = load_config("nanodet-plus-m_320")
    assert config.model.agm.detach_epoch == 10
    training, augmentation = config.training, config.augmentation
    assert (training.learning_rate, training.final_learning_rate, training.weight_decay) == (1e-3, 5e-5, 0.05)
    assert (training.warmup_steps, training.epochs, training.batch_size) == (500, 300, 96)
    assert (training.gradient_clip, training.ema_decay) == (35, 0.9998)
    assert (augmentation.scale, augmentation.stretch) == ((0.6, 1.4), (0.8, 1.2))
    assert (augmentation.translate, augmentation.flip, augmentation.brightness) == (0.2, 0.5, 0.2)
    assert (augmentation.contrast, augmentation.saturation) == ((0.6, 1.4), (0.5, 1.2))
    assert (config.input.mean, config.input.std) == ((103.53, 116.28, 123.675), (57.375, 57.12, 58.395))
    assert (config.assigner.candidates, config.assigner.iou_cost) == (13, 3.0)
    assert (config.loss.quality_focal, config.loss.distribution_focal, config.loss.giou) == (1.0, 0.25, 2.0)


def test_the_defaults_of_the_schema_are_the_published_ones(written) -> None:
    shipped, bare = load_config("nanodet-plus-m_320"), load_config(written())
    for group in ("model", "input", "postprocess", "assigner", "loss", "augmentation", "training"):
        assert getattr(bare, group) == getattr(shipped, group)


@pytest.mark.parametrize(
    ("name", "width", "side", "channels"),
    [
        ("nanodet-plus-m_416", 1.0, 416, 96),
        ("nanodet-plus-m-1.5x_320", 1.5, 320, 128),
        ("nanodet-plus-m-1.5x_416", 1.5, 416, 128),
        ("nanodet-plus-m-0.5x_320", 0.5, 320, 96),
    ],
)
def test_names_say_width_and_size(name: str, width: float, side: int, channels: int) -> None:
    config = load_config(name)
    assert config.model.backbone.width == width
    assert (config.input.width, config.input.height) == (side, side)
    assert config.model.neck.channels == config.model.head.channels == channels
    assert config.model.agm.channels == 2 * channels


@pytest.mark.parametrize(("number", "side", "channels"), [(0, 320, 96), (1, 416, 128), (2, 512, 128)])
def test_efficientnet_lite_is_fed_as_its_imagenet_weights_expect(number: int, side: int, channels: int) -> None:
    config = load_config(f"nanodet-plus-efficientnet-lite{number}_{side}")
    assert config.training.imagenet_backbone
    backbone = config.model.backbone
    assert (backbone.name, backbone.activation) == (f"efficientnet_lite{number}", "relu6")
    assert (config.input.width, config.input.height) == (side, side)
    assert (config.input.mean, config.input.std) == ((127, 127, 127), (128, 128, 128))
    assert config.model.neck.channels == config.model.head.channels == config.model.agm.channels / 2 == channels


def test_a_configuration_is_found_by_name_or_by_path(written) -> None:
    path = written()
    assert find_config(path) == Path(path)
    assert find_config("demo").name == "demo.yaml"


def test_a_name_that_is_nearly_right_gets_the_right_one() -> None:
    with pytest.raises(ConfigError, match=r"'nanodet-plus-m320'.*Did you mean 'nanodet-plus-m_320'\?"):
        load_config("nanodet-plus-m320")


@pytest.mark.parametrize("name", ["nowhere.yaml", "configs", "a" * 300])
def test_a_configuration_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no configuration file"):
        load_config(name)


# --- errors name the key -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "wrong", "right"),
    [
        ("trainig: {epochs: 3}", "trainig", "training"),
        ("training: {epoch: 3}", "training.epoch", "training.epochs"),
        ("model: {agm: {detach_epochs: 3}}", "model.agm.detach_epochs", "model.agm.detach_epoch"),
        ("augmentation: {flips: 0.1}", "augmentation.flips", "augmentation.flip"),
        ("model: {backbone: {widht: 1.0}}", "model.backbone.widht", "model.backbone.width"),
    ],
)
def test_a_misspelt_key_gets_the_right_one(written, more: str, wrong: str, right: str) -> None:
    path = written(more)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert path in str(caught.value)
    assert f"Unknown key '{wrong}'. Did you mean '{right}'?" in str(caught.value)


def test_a_key_like_no_other_gets_the_list_of_those_that_exist(written) -> None:
    with pytest.raises(ConfigError, match=r"Unknown key 'loss\.xyz'\. Known keys there: quality_focal, .*giou\."):
        load_config(written("loss: {xyz: 1}"))


def test_all_misspelt_keys_are_named_at_once(written) -> None:
    with pytest.raises(ConfigError, match=r"'training\.epochs'.*'loss\.giou'|'loss\.giou'.*'training\.epochs'"):
        load_config(written("training: {epoch: 3}\nloss: {gious: 1}"))


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("training: {epochs: 0}", r"training\.epochs: .*\(given: 0\)"),
        ("training: {epochs: many}", r"training\.epochs: .*\(given: 'many'\)"),
        ("training: {learning_rate: .nan}", r"training\.learning_rate: "),
        ("training: {gradient_clip: .inf}", r"training\.gradient_clip: "),
        ("training: {learning_rate: 1e-5}", "final_learning_rate is larger than learning_rate"),
        ("training: null", "training: "),
        ("augmentation: {scale: [1.4, 0.6]}", r"scale must be \[low, high\]"),
        ("augmentation: {saturation: [0, 1]}", r"saturation must be \[low, high\]"),
        ("augmentation: {flip: 1.5}", r"augmentation\.flip: .*1\.5"),
        ("augmentation: {contrast: [1]}", r"augmentation\.contrast"),
        ("model: {backbone: {name: resnet}}", r"model\.backbone\.name: .*'shufflenet_v2', 'ghostnet'.*'resnet'"),
        ("model: {backbone: {width: 0.75}}", r"widths 0\.5, 1\.0, 1\.5 and 2\.0, not 0\.75"),
        ("model: {backbone: {name: ghostnet, width: 9}}", "more than 4"),
        ("model: {backbone: {name: efficientnet_lite2, width: 1.1}}", r"efficientnet_lite2 has the width 1\.0 only"),
        (
            "training: {imagenet_backbone: true}",
            "no ImageNet weights are published for shufflenet_v2, only for eff.*lite0",
        ),
        (
            "model: {backbone: {name: efficientnet_lite0}}\ntraining: {imagenet_backbone: true}",
            "trained with relu6, not with leaky_relu; training.imagenet_backbone must be false",
        ),
        ("model: {neck: {channels: 95}}", r"neck\.channels must be even.*95"),
        ("model: {agm: {channels: 100}}", r"agm\.channels must be a multiple of 32.*100"),
        ("model: {head: {kernel_size: 4}}", r"model\.head\.kernel_size: "),
        ("input: {width: 330}", r"330x320 must be a multiple of 32"),
        ("input: {height: 300}", r"320x300 must be a multiple of 32"),
        ("input: {width: 0}", r"input\.width: "),
        ("input: {std: [1, 0, 1]}", r"input\.std\.1: "),
        ("input: {resize: crop}", r"input\.resize.*'stretch' or 'letterbox'"),
        ("loss: {giou: -1}", r"loss\.giou: "),
        ("classes: cat", "classes: "),
    ],
)
def test_a_bad_value_is_named_with_its_key(written, more: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_config(written(more))


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a b", "a/b"])
def test_a_name_that_could_be_a_path_is_refused(written, name: str) -> None:
    with pytest.raises(ConfigError, match="name: "):
        load_config(written(), [f"name='{name}'"])


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text("data: {root: here}\n")
    with pytest.raises(ConfigError, match=r"The key 'name' is missing"):
        load_config(str(path))


def test_a_key_without_its_group_is_answered_with_the_whole_one() -> None:
    with pytest.raises(ConfigError, match=r"Unknown key 'mosaic'\. Did you mean 'augmentation\.mosaic'\?"):
        load_config("nanodet-plus-m_320", ["mosaic=0.5"])


def test_a_split_is_a_name_or_two_paths(written) -> None:
    named = load_config("nanodet-plus-m_320", ["data.train=learn"])
    assert (named.data.train.split, named.data.val.split) == ("learn", "val")
    paths = load_config("nanodet-plus-m_320", ["data.train.annotations=a.json", "data.train.images=pictures"])
    assert (paths.data.train.split, paths.data.train.images) == (None, "pictures")
    with pytest.raises(ConfigError, match=r"data\.train: give the name of a split, or both annotations and images"):
        load_config("nanodet-plus-m_320", ["data.train.annotations=a.json"])


@pytest.mark.parametrize("classes", ["[cat, dog, cat]", "[]"])
def test_class_names_that_no_model_can_have_are_refused_before_any_data_is_read(
    written,
    classes: str,
) -> None:
    with pytest.raises(ConfigError, match="class"):
        load_config(written(f"classes: {classes}"))


# --- YAML ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.e-3", "+1e-3", "0.001", "1.0e-3", "1.0E-03"])
def test_every_spelling_of_a_number_is_a_number(written, text: str) -> None:
    assert load_config(written(f"training: {{learning_rate: {text}}}")).training.learning_rate == 1e-3
    assert load_config(written(), [f"training.learning_rate={text}"]).training.learning_rate == 1e-3


def test_names_that_look_a_little_like_numbers_stay_names(written) -> None:
    assert load_config(written("classes: [e3, 1e, x1e3, 2e5a]")).classes == ("e3", "1e", "x1e3", "2e5a")


@pytest.mark.parametrize("more", ["name: other", "training: {epochs: 3, seed: 1, epochs: 4}"])
def test_a_key_that_stands_twice_is_refused_with_its_line(written, more: str) -> None:
    key = "epochs" if "epochs" in more else "name"
    with pytest.raises(ConfigError, match=rf"the key '{key}' stands here a second time.*line 6"):
        load_config(written(more))


@pytest.mark.parametrize(
    "text",
    [
        "name: [unclosed",
        "name: 2026-02-30",
        "[a, b]: list as key",
        "? {a: 1}\n: mapping as key",
        "name: !!python/object/apply:os.system ['true']",
        "name: &a [*a]",
        "name: " + "[" * 3000,
        "name: '\x07'",
        "- a list",
        "just words",
        "",
    ],
    ids=["unclosed", "no-date", "list-key", "mapping-key", "python", "loop", "deep", "bell", "list", "text", "empty"],
)
def test_what_is_no_yaml_mapping_is_refused_with_the_files_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_config(str(path))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(path)


# --- overrides -----------------------------------------------------------------------------------------------------


def test_overrides_are_applied_in_order_and_read_as_yaml() -> None:
    config = load_config(
        "demo",
        ["training.epochs=3", "training.epochs=7", "classes=[a, b]", "data.root=/x=y", "augmentation.scale=[0.9, 1]"],
    )
    assert config.training.epochs == 7 and config.classes == ("a", "b")
    assert config.data.root == "/x=y" and config.augmentation.scale == (0.9, 1.0)


def test_an_override_can_set_a_group_that_the_file_does_not_have(written) -> None:
    assert load_config(written(), ["model.agm.enabled=false"]).model.agm.enabled is False


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.epoch=3", r"Unknown key 'training\.epoch'\. Did you mean 'training\.epochs'\?"),
        ("training.epochs=0", r"training\.epochs: "),
        ("training.epochs", "not of the form key=value"),
        ("=3", "not of the form key=value"),
        ("name.first=3", "'name' holds a value"),
        ("training.epochs=[1", r"value of 'training\.epochs' is not valid YAML"),
        ("training.epochs=2026-02-30", r"training\.epochs"),
        ("training={[a]: 1}", "'training'"),
        ("training..epochs=3", "Unknown key"),
    ],
)
def test_a_bad_override_is_explained(override: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load_config("demo", [override])


def test_a_bad_override_is_not_blamed_on_the_file() -> None:
    with pytest.raises(ConfigError, match=r"^The settings of the command line: Unknown key 'training\.epoch'"):
        load_config("demo", ["training.epoch=3"])


def test_a_bad_file_is_blamed_even_beside_good_overrides(written) -> None:
    file = written("training: {epochs: 0}\n")
    with pytest.raises(ConfigError, match=rf"^{file} with the settings of the command line: training\.epochs"):
        load_config(file, ["training.batch_size=4"])


# --- before the data -----------------------------------------------------------------------------------------------


def test_loading_touches_no_data_path(written) -> None:
    config = load_config(written(), ["data.root=/nowhere/at/all"])
    assert config.data.root == "/nowhere/at/all"
    with pytest.raises(ConfigError, match="Unknown key"):
        load_config(written("training: {epoch: 3}"), ["data.root=/nowhere/at/all"])


def test_a_loaded_configuration_cannot_be_changed() -> None:
    config = load_config("demo")
    with pytest.raises(ValidationError):
        config.training.epochs = 4


def test_a_configuration_error_counts_as_bad_input() -> None:
    assert issubclass(ConfigError, InputError)
    assert ConfigError.exit_code == 2


# --- interface -----------------------------------------------------------------------------------------------------


def interface(**change: Any) -> Interface:
    values = {
        "classes": ("cat", "dog"),
        "input": InputSpec(),
        "decoder": DecoderSpec(),
        "postprocess": PostprocessSpec(),
    }
    return Interface(**values | change)


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two classes have the same name"):
        interface(classes=("cat", "dog", "cat"))


def test_an_interface_knows_the_shape_of_the_output() -> None:
    assert (interface().prior_count, interface().output_channels) == (2125, 2 + 32)
    other = interface(input=InputSpec(width=416, height=416), decoder=DecoderSpec(reg_max=16))
    assert (other.prior_count, other.output_channels) == (3598, 2 + 68)


def test_the_interface_of_a_configuration_carries_its_strides_and_input() -> None:
    made = load_config("demo", ["model.neck.extra_levels=0"]).interface(("a", "b"))
    assert made.decoder.strides == (8, 16, 32)
    assert (made.input.width, made.prior_count) == (160, 20 * 20 + 10 * 10 + 5 * 5)


def test_a_finished_configuration_takes_settings_too() -> None:
    config = load_config("demo")
    changed = config_with(config, ["data.root=elsewhere", "assigner.candidates=5"], "run.ckpt")
    assert (changed.data.root, changed.assigner.candidates) == ("elsewhere", 5)
    assert config_with(changed, [f"data.root={config.data.root}", "assigner.candidates=13"], "run.ckpt") == config
    with pytest.raises(ConfigError, match=r"^run\.ckpt with the settings .*Did you mean 'data\.root'"):
        config_with(config, ["data.rooot=elsewhere"], "run.ckpt")
