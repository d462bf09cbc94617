"""Which engine is chosen and why, with the engines that are installed here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from nanoedge.bundle import load_bundle
from nanoedge.doctor.engines import look_at_engines
from nanoedge.errors import BundleError
from nanoedge.runtime import load
from nanoedge.runtime.load import ENGINES, choose_engine, preference
from tests.conftest import changed_bundle


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As if these were not installed."""
    for name in names:
        monkeypatch.setitem(ENGINES, name, replace(ENGINES[name], is_installed=lambda: False))


def test_the_engine_of_a_bundle_is_what_auto_takes(small_bundle: Path) -> None:
    bundle = load_bundle(small_bundle)
    found = look_at_engines(bundle, "x86_64")
    assert found.chosen == choose_engine(bundle)
    assert found.bundle == bundle.manifest.name
    assert found.reason.startswith(f"For {bundle.manifest.name}, auto takes {found.chosen}: ")


def test_the_reason_names_what_was_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(load, "has_vector_kernels", lambda: False)
    without(monkeypatch, "openvino")
    found = look_at_engines(None, "x86_64")
    assert found.chosen == "ncnn"
    assert found.reason == (
        "For a bundle that has it, auto takes ncnn: openvino comes before it, but is not installed."
    )
    assert [(state.name, state.cure) for state in found.states if not state.installed] == [
        ("openvino", "pip install openvino")
    ]


def test_our_own_engine_comes_first_where_it_has_vector_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    here = load.platform.machine()
    monkeypatch.setattr(load, "has_vector_kernels", lambda: True)
    assert preference(here)[0] == "native"
    assert preference("another machine")[0] != "native"
    monkeypatch.setattr(load, "has_vector_kernels", lambda: False)
    assert preference(here)[0] in ("openvino", "ncnn")


@pytest.mark.parametrize("machine", ["aarch64", "armv7l"])
def test_our_own_engine_comes_first_on_no_arm_cpu_before_it_is_measured(
    monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    monkeypatch.setattr(load.platform, "machine", lambda: machine)
    monkeypatch.setattr(load, "has_vector_kernels", lambda: True)
    assert preference()[0] == "ncnn"


def test_auto_passes_over_an_engine_that_does_not_compute_so(
    small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load_bundle(small_bundle)
    chosen = choose_engine(bundle)
    monkeypatch.setitem(ENGINES, chosen, replace(ENGINES[chosen], computes=lambda compute: compute == "fp32"))
    assert choose_engine(bundle, compute="fp32") == chosen
    assert choose_engine(bundle, compute="bf16") != chosen


def test_the_reason_names_what_the_bundle_lacks(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load.platform, "machine", lambda: "aarch64")
    place = changed_bundle(
        small_bundle,
        tmp_path,
        lambda document: document.update(engines=[e for e in document["engines"] if e["engine"] == "onnx"]),
    )
    found = look_at_engines(load_bundle(place), "aarch64")
    assert found.chosen == "onnx"
    assert "ncnn comes before it, but the bundle has no ncnn model" in found.reason


def test_a_bundle_that_nothing_here_runs_is_a_finding(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, *ENGINES)
    found = look_at_engines(load_bundle(small_bundle), "x86_64")
    assert found.chosen is None and "None of the bundle's engines is installed" in found.reason
    assert look_at_engines(None, "x86_64").reason == "No engine is installed."


def test_a_damaged_model_is_refused(small_bundle: Path, tmp_path: Path) -> None:
    place = changed_bundle(small_bundle, tmp_path, lambda document: None)
    for name in load_bundle(place).entry(ENGINES[choose_engine(load_bundle(place))].entry).files:
        (place / name).write_bytes(b"damaged")
    with pytest.raises(BundleError, match="the bundle is damaged"):
        look_at_engines(load_bundle(place), "x86_64")


def test_a_library_that_is_named_and_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOEDGE_OPENVINO", str(tmp_path / "gone.so"))
    assert look_at_engines(None, "x86_64").lost_library == str(tmp_path / "gone.so")
