"""The report of real runs: finished, stopped, without true boxes, with nothing found, on a full disk, in a browser."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from nanoedge.config.load import load_config
from nanoedge.data.splits import read_splits
from nanoedge.errors import ConfigError, DataError, InputError
from nanoedge.training.checkpoints import load_checkpoint
from nanoedge.training.report import predict, write
from nanoedge.training.report.write import report_again, report_of_finished_run
from nanoedge.training.runs.folder import RunFolder
from nanoedge.training.train import train
from tests.training.report.pages import Page, answer_of, assert_stands_alone, opened


@pytest.fixture
def run(small_run: Path, tmp_path: Path) -> Path:
    place = tmp_path / "run"
    shutil.copytree(small_run, place)
    return place


def change_bias(checkpoint: Path, by: float) -> None:
    """Make the network more, or less, sure of everything."""
    document = torch.load(checkpoint, weights_only=True)
    for name, tensor in document["state_dict"].items():
        if "head.predict" in name and name.endswith("bias"):
            tensor[: len(document["nanoedge"]["classes"])] += by
    torch.save(document, checkpoint)


def with_val_boxes(run: Path, shapes: Path, change) -> list[str]:
    """Settings of the run's data with other annotations for the validation pictures."""
    config = load_config(str(run / "config.yaml"))
    source = read_splits(config).sets[1].source
    document = json.loads(Path(source).read_text())
    change(document)
    changed = run / "val.json"
    changed.write_text(json.dumps(document))
    return [f"data.val.annotations={changed.resolve()}", f"data.val.images={shapes / 'images'}"]


def test_a_run_ends_with_a_report_that_stands_alone(small_run: Path) -> None:
    text = (small_run / "report.html").read_text()
    assert_stands_alone(text)
    page = Page(text).text
    for words in ("Training run small-run", "Terms of the loss", "ring", "missed", "Worst pictures", "8 epochs"):
        assert words in page, words
    assert "nanoedge train demo" in page and "torch 2." in page and "data.root" in page
    metrics = load_checkpoint(small_run / "checkpoints" / "best.ckpt").metrics
    assert metrics is not None and f"AP50 {metrics['AP50']:.3f}" in page
    assert "nan" not in page.split()
    assert len(text) < 3_000_000


def test_the_boxes_of_the_last_evaluation_are_not_searched_again(
    tmp_path: Path, small_settings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "checkpoint_predictor", lambda *_: pytest.fail("searched again"))
    said: list[str] = []
    settings = [*small_settings, "training.epochs=1", "training.report=true"]
    result = train(load_config("demo", settings), tmp_path / "run", quiet=True, say=said.append)
    assert result.report == tmp_path / "run" / "report.html" and result.report.is_file(), said
    assert result.as_json()["report"] == str(result.report)


def test_the_report_can_be_made_again_and_says_the_same(nanoedge, run: Path) -> None:
    before = fractions((run / "report.html").read_text())
    (run / "report.html").unlink()
    document = json.loads(nanoedge("report", str(run), "--json").stdout)
    assert len(before) > 20 and fractions(Path(document["report"]).read_text()) == before


def fractions(text: str) -> list[str]:
    return [word for word in Page(text).words if re.fullmatch(r"[01]\.\d{3}", word)]


def test_a_run_that_was_stopped_early_has_a_report_that_says_so(run: Path) -> None:
    lines = (run / "metrics.csv").read_text().splitlines()
    (run / "metrics.csv").write_text("\n".join(lines[:5]) + "\n")
    (run / "starts.jsonl").unlink()  # a run of an older version
    page = Page(report_again(run).read_text()).text
    assert "after 4 of 8 planned epochs" in page and "does not say how it was started" in page


def test_validation_pictures_without_boxes_are_said_to_measure_nothing(run: Path, shapes: Path) -> None:
    settings = with_val_boxes(run, shapes, lambda document: document.update(annotations=[]))
    text = report_again(run, settings).read_text()
    assert "how good the detector is cannot be measured" in Page(text).text
    assert 'id="curve-' not in text and "nan" not in Page(text).text.split()


def test_a_network_that_finds_nothing_has_a_report(run: Path) -> None:
    change_bias(run / "checkpoints" / "best.ckpt", -50)
    page = Page(report_again(run).read_text()).text
    assert "Nothing was found in any validation picture" in page and "Worst pictures" in page


def test_many_classes_and_long_names_have_a_heat_map(run: Path, shapes: Path, tmp_path: Path) -> None:
    names = [f"class <{number}> with a name that is longer than anybody wants {number}" for number in range(80)]
    checkpoint = run / "checkpoints" / "best.ckpt"
    document = torch.load(checkpoint, weights_only=True)
    for name, tensor in document["state_dict"].items():
        if "head.predict" in name and "agm" not in name:
            classes = tensor[:4].repeat(20, *[1] * (tensor.dim() - 1))
            document["state_dict"][name] = torch.cat([classes, tensor[4:]])
    document["state_dict"] = {name: part for name, part in document["state_dict"].items() if ".agm" not in name}
    config = document["nanoedge"]["config"]
    config["model"]["agm"]["enabled"] = False
    config["classes"] = document["nanoedge"]["classes"] = names
    torch.save(document, checkpoint)
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    root = tmp_path / "data"
    shutil.copytree(shapes, root)
    for file in (root / "annotations").glob("*.json"):
        truth = json.loads(file.read_text())
        truth["categories"] = [{"id": number + 1, "name": name} for number, name in enumerate(names)]
        for number, box in enumerate(truth["annotations"]):
            box["category_id"] = number % 80 + 1
        file.write_text(json.dumps(truth))
    text = report_again(run, [f"data.root={root}"]).read_text()
    page = Page(text).text
    assert "All classes" in page and names[79] in page and "<7>" not in text
    assert "annotations are not those that the run was trained with" in page
    assert len(text) < 3_000_000
    assert_stands_alone(text)


def test_a_large_split_is_looked_at_in_part(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "MOST_PICTURES", 5)
    page = Page(report_again(run).read_text()).text
    assert "5 of 16 validation pictures, drawn at random" in page
    metrics = load_checkpoint(run / "checkpoints" / "best.ckpt").metrics
    assert metrics is not None and f"AP50 {metrics['AP50']:.3f}" in page


def test_a_report_that_cannot_be_written_leaves_the_training_its_result(
    tmp_path: Path, small_settings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.setattr(write, "report_page", full)
    said: list[str] = []
    settings = [*small_settings, "training.epochs=1", "training.report=true"]
    result = train(load_config("demo", settings), tmp_path / "run", quiet=True, say=said.append)
    assert result.report is None and result.best.is_file() and result.as_json()["report"] is None
    assert "no report" in said[-1] and f"nanoedge report {tmp_path / 'run'}" in said[-1]


def test_a_page_that_cannot_take_its_place_is_a_sentence(run: Path) -> None:
    (run / "report.html").unlink()
    (run / "report.html").mkdir()
    (run / "report.html" / "x").touch()
    said: list[str] = []
    config = load_config(str(run / "config.yaml"))
    assert report_of_finished_run(RunFolder(run), config, read_splits(config), None, said.append) is None
    assert "could not be written" in said[-1] and "Traceback" not in said[-1]


def test_what_has_no_report_is_refused(tmp_path: Path, run: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.yaml"):
        report_again(tmp_path)
    with pytest.raises(ConfigError, match="another run"):
        report_again(run, ["training.epochs=3"])
    (run / "checkpoints" / "best.ckpt").unlink()
    with pytest.raises(InputError, match="not come to an evaluation"):
        report_again(run)


def test_data_of_other_classes_are_refused(run: Path, tmp_path: Path, shapes: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(shapes, root)
    for file in (root / "annotations").glob("*.json"):
        file.write_text(file.read_text().replace('"ring"', '"hoop"'))
    with pytest.raises(DataError, match="other classes"):
        report_again(run, [f"data.root={root}"])


TOGGLES = """
const shown = (selector) => getComputedStyle(document.querySelector(".gallery " + selector)).display !== "none";
const answer = {};
const parts = { truth: ".truth", found: ".found", weak: ".weak", names: ".truth text" };
for (const [toggle, selector] of Object.entries(parts)) {
  const before = shown(selector);
  document.getElementById("show-" + toggle).click();
  answer[toggle] = [before, shown(selector)];
}
const row = document.querySelector("tr[data-place]");
row.dispatchEvent(new MouseEvent("mouseenter"));
answer.curve = document.getElementById("curve-" + row.dataset.place).classList.contains("chosen");
row.dispatchEvent(new MouseEvent("mouseleave"));
const names = () => [...document.querySelectorAll("tr[data-place] .name")].map((cell) => cell.textContent);
answer.classes = names();
const heading = document.querySelector(".sortable th button");
heading.click();
answer.sorted = names();
heading.click();
answer.reversed = names();
answer.paper = getComputedStyle(document.body).backgroundColor;
return answer;
"""

WIDTHS = """
document.documentElement.style.width = "390px";
const scrolls = (element) => element.closest(".wide, pre, svg, .matrix");
return [...document.querySelectorAll("body *")]
  .filter((element) => !scrolls(element) && element.getBoundingClientRect().right > 391)
  .map((element) => element.outerHTML.slice(0, 100));
"""


def test_the_browser_would_tell_of_an_error_and_of_a_request(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<body><img src='http://outside.invalid/a.png'><script>nothing.there</script></body>")
    _, said, asked = opened(page, tmp_path)
    assert len(said) == 1 and "nothing is not defined" in said[0]
    assert asked == ["http://outside.invalid/a.png"]


@pytest.mark.slow
def test_in_a_browser_nothing_fails_nothing_is_fetched_and_everything_works(run: Path, tmp_path: Path) -> None:
    change_bias(run / "checkpoints" / "best.ckpt", 2)  # so that boxes of every kind are there
    page = report_again(run)
    document, said, asked = opened(page, tmp_path)
    assert said == [] and "Worst pictures" in document
    assert asked == []

    answer = answer_of(page, tmp_path, TOGGLES)
    assert answer["truth"] == [True, False] and answer["found"] == [True, False]
    assert answer["weak"] == [False, True] and answer["names"] == [False, True] and answer["curve"]
    assert answer["sorted"] == sorted(answer["classes"])
    assert answer["reversed"] == sorted(answer["classes"], reverse=True)
    dark = answer_of(page, tmp_path, TOGGLES, "--blink-settings=preferredColorScheme=0")
    assert dark["paper"] != answer["paper"]
    assert answer_of(page, tmp_path, WIDTHS, "--window-size=500,900") == []
