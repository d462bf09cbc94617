"""Bundles: a folder that is whole, unchanged and plain, or a sentence that says what is wrong with it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nanoedge.bundle import Bundle, load_bundle
from nanoedge.bundle.manifest import MANIFEST_NAME, EngineEntry, Manifest, digest_of, manifest_schema
from nanoedge.bundle.write import bundle_to_throw_away, check_free, folder_in_the_making, write_manifest
from nanoedge.config.interface import DecoderSpec, InputSpec, Interface, PostprocessSpec
from nanoedge.errors import BundleError, InputError, NanoEdgeError
from pydantic import ValidationError

FILES = {
    "model.ncnn.param": b"7767517\n",
    "model.ncnn.bin": bytes(range(200)),
    "model.onnx": b"not really a network",
    "sample.png": b"not really a picture",
    "sample.json": b"[]",
    "parity.json": b"{}",
}


def contents() -> dict[str, Any]:
    """The manifest's keys but format, version, files and digest."""
    return {
        "name": "small",
        "licence": "Apache-2.0",
        "classes": ["Käfer", "person"],
        "input": {"width": 96, "height": 64},
        "decoder": {"type": "nanodet-plus", "strides": [8, 16, 32, 64], "reg_max": 7},
        "postprocess": {"score_threshold": 0.4},
        "engines": [
            {
                "engine": "ncnn",
                "precision": "float",
                "files": ["model.ncnn.param", "model.ncnn.bin"],
                "input": "in0",
                "outputs": ["out0"],
            },
            {
                "engine": "onnx",
                "precision": "float",
                "files": ["model.onnx"],
                "input": "data",
                "outputs": ["output"],
            },
        ],
        "sample": {"picture": "sample.png", "detections": "sample.json"},
        "parity": {"report": "parity.json", "passed": True},
        "provenance": {"nanoedge": "0.1.0", "torch": "2.10"},
    }


def write_bundle(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    write_manifest(folder, contents())
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "small.nanoedge")


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], None], sign: bool = True) -> None:
    """Edit the manifest; with `sign` its digest is made to fit again."""
    path = folder / MANIFEST_NAME
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    if sign:
        document["digest"] = digest_of(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- round trip ----------------------------------------------------------------------------------------------------


def test_a_bundle_is_read_as_it_was_written(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    loaded.verify_all()
    manifest = loaded.manifest
    assert (manifest.format, manifest.version, manifest.task, manifest.name) == (
        "nanoedge-bundle",
        1,
        "detect",
        "small",
    )
    assert manifest.classes == ("Käfer", "person")
    assert (manifest.input.width, manifest.input.height, manifest.input.resize) == (96, 64, "stretch")
    assert manifest.decoder.strides == (8, 16, 32, 64)
    assert (manifest.postprocess.score_threshold, manifest.postprocess.nms_iou) == (0.4, 0.6)
    assert manifest.interface.output_channels == 2 + 32
    assert loaded.path("model.onnx").read_bytes() == FILES["model.onnx"]


def test_every_file_but_the_manifest_is_listed_with_size_and_sha256(bundle: Path) -> None:
    listed = json.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))["files"]
    assert listed == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in FILES.items()
    }


def test_the_digest_is_the_contracts(bundle: Path) -> None:
    """sha256 of the document without this key, keys sorted, no spaces."""
    document = json.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))
    digest = document.pop("digest")
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == digest


def test_the_manifest_spells_out_every_default(bundle: Path) -> None:
    document = json.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))
    assert document["input"]["pad_value"] == 0 and document["input"]["channels"] == "bgr"
    assert document["input"]["mean"] == [103.53, 116.28, 123.675]
    assert document["decoder"] == {
        "type": "nanodet-plus",
        "strides": [8, 16, 32, 64],
        "reg_max": 7,
        "prior_offset": 0.0,
        "scores": "logits",
    }
    assert document["postprocess"] == {
        "score_threshold": 0.4,
        "nms_iou": 0.6,
        "max_detections": 100,
        "class_aware": True,
    }
    assert document["engines"][0]["layout"] == "priors,channels"


def test_the_order_of_keys_and_the_spaces_do_not_matter(bundle: Path) -> None:
    path = bundle / MANIFEST_NAME
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(dict(reversed(document.items())), indent=7), encoding="utf-8")
    assert load_bundle(bundle).manifest.name == "small"


def test_the_schema_describes_what_is_written(bundle: Path) -> None:
    document = json.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))
    assert set(document) <= set(manifest_schema()["properties"])
    assert set(manifest_schema()["required"]) <= set(document)


def test_an_entry_is_found_by_engine_and_precision_or_those_that_exist_are_named(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert loaded.entry("ncnn").files == ("model.ncnn.param", "model.ncnn.bin")
    with pytest.raises(BundleError, match=r"no ncnn model in int8 precision; it has: ncnn \(float\), onnx \(float\)"):
        loaded.entry("ncnn", "int8")
    with pytest.raises(BundleError, match=r"no openvino model .*--target openvino"):
        loaded.entry("openvino")


def test_an_engine_that_this_version_does_not_know_is_no_hindrance_for_the_others(bundle: Path) -> None:
    def add(document: dict[str, Any]) -> None:
        document["engines"].append({**document["engines"][1], "engine": "warp-drive"})

    change_manifest(bundle, add)
    assert load_bundle(bundle).entry("onnx").files == ("model.onnx",)


# --- damage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FILES))
def test_one_changed_byte_is_found_and_the_file_named(bundle: Path, name: str) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(data)
    loaded = load_bundle(bundle)
    loaded.verify(sorted(set(FILES) - {name}))
    for check in (lambda: loaded.verify([name]), loaded.verify_all):
        with pytest.raises(BundleError, match=f"{name} was changed .*the bundle is damaged"):
            check()


def test_a_file_that_lost_its_end_is_named_with_both_sizes(bundle: Path) -> None:
    (bundle / "model.ncnn.bin").write_bytes(FILES["model.ncnn.bin"][:150])
    with pytest.raises(BundleError, match=r"model\.ncnn\.bin has 150 bytes, not 200"):
        load_bundle(bundle).verify(["model.ncnn.bin"])


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx is missing"):
        load_bundle(bundle).verify(["model.onnx"])


def test_a_folder_in_the_place_of_a_file_is_a_missing_file(bundle: Path) -> None:
    (bundle / "model.onnx").unlink()
    (bundle / "model.onnx").mkdir()
    with pytest.raises(BundleError, match=r"model\.onnx is missing"):
        load_bundle(bundle).verify(["model.onnx"])


def test_a_link_is_refused_even_to_the_right_content(bundle: Path, tmp_path: Path) -> None:
    (bundle / "model.onnx").rename(tmp_path / "elsewhere.onnx")
    (bundle / "model.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(BundleError, match=r"model\.onnx is a link"):
        load_bundle(bundle).verify(["model.onnx"])


@pytest.mark.parametrize("name", ["extra.bin", ".hidden", "folder"])
def test_a_file_that_is_not_listed_is_found_when_everything_is_checked(bundle: Path, name: str) -> None:
    if name == "folder":
        (bundle / name).mkdir()
    else:
        (bundle / name).write_bytes(b"")
    loaded = load_bundle(bundle)
    loaded.verify(FILES)
    with pytest.raises(BundleError, match=f"does not list: {name}"):
        loaded.verify_all()


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["postprocess"].update(score_threshold=0.1),
        lambda document: document["classes"].reverse(),
        lambda document: document["input"].update(mean=[0, 0, 0]),
        lambda document: document.pop("licence"),
        lambda document: document.update(digest="0" * 64),
        lambda document: document.pop("digest"),
        lambda document: document["files"]["model.onnx"].update(sha256="0" * 64),
    ],
)
def test_an_edited_manifest_is_refused(bundle: Path, change: Callable) -> None:
    change_manifest(bundle, change, sign=False)
    with pytest.raises(BundleError, match=r"manifest\.json was changed after it was written"):
        load_bundle(bundle)


@pytest.mark.parametrize("sign", [True, False])
def test_a_newer_version_says_update(bundle: Path, sign: bool) -> None:
    change_manifest(bundle, lambda document: document.update(version=2, novelty=True), sign)
    with pytest.raises(BundleError, match=r"has version 2, this NanoEdge reads up to 1; update NanoEdge: pip install"):
        load_bundle(bundle)


def test_an_unknown_decoder_says_update(bundle: Path) -> None:
    change_manifest(bundle, lambda document: document["decoder"].update(type="nanodet-ultra"))
    with pytest.raises(BundleError, match=r"decoder 'nanodet-ultra', which this NanoEdge does not know; update"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda document: document.pop("classes"), "'classes' is missing"),
        (lambda document: document.update(clases=["a"]), r"Unknown key 'clases'\. Did you mean 'classes'\?"),
        (lambda document: document.update(version=0), "version"),
        (lambda document: document.update(version="1"), "version"),
        (lambda document: document.update(task="classify"), "task"),
        (lambda document: document["input"].update(width=0), r"input\.width"),
        (lambda document: document["input"].update(std=[1, 0, 1]), r"input\.std\.1"),
        (lambda document: document["decoder"].update(strides=[]), r"decoder\.strides"),
        (lambda document: document["postprocess"].update(nms_iou=1.5), r"postprocess\.nms_iou"),
        (lambda document: document["parity"].update(passed=False), r"parity\.passed"),
        (lambda document: document.update(engines=[]), "engines"),
        (lambda document: document["engines"].append(document["engines"][0]), "an engine stands twice"),
        (lambda document: document["engines"][1].update(files=["other.onnx"]), r"other\.onnx are used but not listed"),
        (lambda document: document["files"].pop("sample.png"), r"sample\.png are used but not listed"),
        (
            lambda document: document["files"].update({MANIFEST_NAME: {"sha256": "0" * 64, "size": 1}}),
            "cannot list itself",
        ),
        (lambda document: document["files"]["model.onnx"].update(size=-1), r"files\.model\.onnx\.size"),
        (lambda document: document.update(classes=["a", "a"]), "two classes have the same name"),
    ],
)
def test_a_signed_manifest_that_makes_no_sense_is_refused(bundle: Path, change: Callable, named: str) -> None:
    change_manifest(bundle, change)
    with pytest.raises(BundleError, match=rf"manifest\.json.*{named}"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", "a/b", "a\\b", "..", ".hidden", "", "a b", "a\n"])
def test_a_name_that_could_lead_out_of_the_folder_is_refused(bundle: Path, name: str) -> None:
    def rename(document: dict[str, Any]) -> None:
        document["files"][name] = document["files"].pop("model.onnx")
        document["engines"][1]["files"] = [name]

    change_manifest(bundle, rename)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"3",
        b"null",
        b'{"format": "nanoedge-bundle"}',
        b'{"format": "other"}',
        b"[" * 100_000,
        b'{"format": "nanoedge-bundle", "version": NaN}',
        b'{"format": "nanoedge-bundle", "name": "\\ud800"}',
        b" " * 4_000_001,
        b'{"format": "nanoedge-bundle", "version": ' + b"9" * 5000 + b"}",
    ],
    ids=["none", "cut", "bytes", "list", "number", "null", "bare", "other", "deep", "nan", "surrogate", "huge", "long"],
)
def test_what_is_no_manifest_is_refused_by_name(bundle: Path, text: bytes) -> None:
    (bundle / MANIFEST_NAME).write_bytes(text)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        load_bundle(bundle)


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is no bundle: it has no manifest\.json"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("name", ["nowhere.nanoedge", "a" * 300])
def test_a_bundle_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="There is no bundle"):
        load_bundle(tmp_path / name)


def test_a_bundles_manifest_cannot_be_changed_in_memory(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert isinstance(loaded, Bundle)
    with pytest.raises(ValidationError):
        loaded.manifest.name = "other"


# --- writing -------------------------------------------------------------------------------------------------------


def test_a_manifest_that_would_not_be_read_is_not_written(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValidationError):
        write_manifest(tmp_path, contents() | {"parity": {"report": "parity.json", "passed": False}})
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(ValidationError, match="used but not listed"):
        write_manifest(tmp_path, contents())
    assert not (tmp_path / MANIFEST_NAME).exists()


def test_what_is_written_is_what_is_given_back(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    assert isinstance(write_manifest(tmp_path, contents()), Manifest)
    assert write_manifest(tmp_path, contents()) == load_bundle(tmp_path).manifest


def test_models_that_nothing_has_proven_make_a_bundle_to_throw_away(tmp_path: Path) -> None:
    interface = Interface(
        classes=("cup",), input=InputSpec(), decoder=DecoderSpec(), postprocess=PostprocessSpec(score_threshold=0.2)
    )
    entry = EngineEntry(engine="onnx", precision="float", files=("model.onnx",), input="data", outputs=("output",))
    (tmp_path / "model.onnx").write_bytes(b"network")
    for _ in range(2):  # again over the old one
        made = bundle_to_throw_away(tmp_path, interface, [entry])
        made.verify_all()
        assert made.manifest.engines == (entry,) and made.manifest.interface == interface


def test_a_folder_appears_when_it_is_whole_with_its_parents(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "new.nanoedge"
    with folder_in_the_making(place, force=False) as making:
        (making / "a").write_bytes(b"a")
        assert not place.exists() and making.parent == place.parent
    assert snapshot(tmp_path) == {"deep/new.nanoedge/a": b"a"}
    assert place.stat().st_mode & 0o777 == 0o755


def fail_inside(place: Path, error: BaseException, force: bool = False) -> None:
    """Write half of a bundle, then raise."""
    with folder_in_the_making(place, force) as making:
        (making / "half").write_bytes(b"half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, NanoEdgeError])
def test_an_exception_inside_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        fail_inside(tmp_path / "new.nanoedge", error())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    # Stands in for a full disk, which a test cannot fill.
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(NanoEdgeError, match=r"new\.nanoedge could not be written: No space left on device") as caught:
        fail_inside(tmp_path / "new.nanoedge", full)
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError(), OSError(errno.EIO, os.strerror(errno.EIO)), KeyboardInterrupt()])
def test_an_exception_while_replacing_leaves_the_old_bundle(bundle: Path, tmp_path: Path, error: BaseException) -> None:
    before = snapshot(tmp_path)
    with pytest.raises((ValueError, NanoEdgeError, KeyboardInterrupt)):
        fail_inside(bundle, error, force=True)
    assert snapshot(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["small.nanoedge"]


def test_an_existing_place_is_refused_without_force_and_left_alone(bundle: Path, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    with (
        pytest.raises(InputError, match=r"exists already; choose another place or replace it with --force"),
        folder_in_the_making(bundle, force=False),
    ):
        pytest.fail("the block must not run")
    assert snapshot(tmp_path) == before


def test_force_replaces_the_whole_bundle(bundle: Path, tmp_path: Path) -> None:
    (bundle / "extra.bin").write_bytes(b"old")
    with folder_in_the_making(bundle, force=True) as making:
        (making / "a").write_bytes(b"new")
        assert (bundle / MANIFEST_NAME).is_file()  # until the end
    assert snapshot(tmp_path) == {"small.nanoedge/a": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["small.nanoedge"]


@pytest.mark.parametrize("kind", ["file", "folder", "empty folder", "link to a bundle", "broken link"])
@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_bundle_is_never_replaced(tmp_path: Path, kind: str, force: bool) -> None:
    place = tmp_path / "thesis"
    if kind == "file":
        place.write_text("ten years of work")
    elif kind.endswith("folder"):
        place.mkdir()
        if kind == "folder":
            (place / "thesis.txt").write_text("ten years of work")
    else:
        place.symlink_to(write_bundle(tmp_path / "real") if kind == "link to a bundle" else tmp_path / "gone")
    before = snapshot(tmp_path)
    with (
        pytest.raises(InputError, match="is not a bundle; it is not replaced" if force else "exists already"),
        folder_in_the_making(place, force),
    ):
        pytest.fail("the block must not run")
    assert snapshot(tmp_path) == before
    assert place.is_symlink() == kind.endswith(("link", "to a bundle"))


def test_something_that_appeared_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "new.nanoedge"

    def make_while_somebody_else_does() -> None:
        with folder_in_the_making(place, force=False) as making:
            (making / "a").write_bytes(b"a")
            place.mkdir()
            (place / "theirs").write_bytes(b"theirs")

    with pytest.raises(InputError, match="exists already"):
        make_while_somebody_else_does()
    assert snapshot(tmp_path) == {"new.nanoedge/theirs": b"theirs"}


@pytest.mark.parametrize("place", ["file/new.nanoedge", "a" * 300], ids=["below a file", "too long a name"])
def test_a_place_where_no_folder_can_be_is_explained(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("a file")
    with (
        pytest.raises(NanoEdgeError, match="cannot be made"),
        folder_in_the_making(tmp_path / place, force=False),
    ):
        pytest.fail("the block must not run")
    assert snapshot(tmp_path) == {"file": b"a file"}


def test_a_free_place_is_free(tmp_path: Path) -> None:
    check_free(tmp_path / "nothing", force=False)
    check_free(tmp_path / "nothing", force=True)
