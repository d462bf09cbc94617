"""The parts of the own engine's benchmarks that calculate nothing but figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools.results.engine.latency import Row, Times, median_of, ratio_of
from tools.results.engine.limits import KINDS, NATIVE, NATIVE_INT8, OPENVINO, RATIOS, Ratio, judged, kind_of
from tools.results.engine.pictures import without
from tools.results.engine.size import parse_sizes


def test_a_cpu_is_the_best_kind_whose_flags_it_has() -> None:
    for kind, flags in KINDS.items():
        newer = {"AVX-VNNI": ("avx2", "fma"), "AMX": KINDS["AVX-512 VNNI"]}.get(kind, ())
        assert kind_of({*flags, *newer, "sse2"}) == kind
    assert kind_of({"avx2"}) == "none of these"


def test_a_limit_is_held_only_on_its_own_kind_of_cpu() -> None:
    ratio = Ratio(NATIVE, OPENVINO, {"AVX2": 1.0, "AVX-512": 0.5})
    here = judged("r", ratio, 0.9, "AVX2", is_base=True)
    assert (here.reach, here.reached) == ("≤ 1", True)
    assert judged("r", ratio, 1.1, "AVX2", is_base=True).reached is False
    assert judged("r", ratio, 1.1, "AVX2", is_base=False).reached is True  # other networks: a fifth more
    elsewhere = judged("r", ratio, 0.9, "AVX-VNNI", is_base=True)
    assert (elsewhere.reach, elsewhere.reached) == ("≤ 1 with AVX2, ≤ 0.5 with AVX-512", None)
    assert judged("r", ratio, None, "AVX2", is_base=True).value == "not measured"


def test_every_limit_names_a_kind_of_cpu() -> None:
    assert all(set(ratio.limits) <= set(KINDS) for ratio in RATIOS)


def test_rows_are_called_by_what_differs() -> None:
    titles = [Row(*words).title for words in (("native", "int8", "fp32"), ("openvino", "float", "bf16"))]
    assert titles == ["native int8", "OpenVINO bf16"]


def test_ratios_are_medians_of_the_processes_ratios() -> None:
    runs = [{NATIVE: Times(own, own + 1), OPENVINO: Times(other, other)} for own, other in ((1, 2), (3, 4), (10, 50))]
    assert ratio_of(runs, NATIVE, OPENVINO) == 0.5
    assert ratio_of(runs, NATIVE_INT8, OPENVINO) is None
    assert median_of([*runs, {NATIVE: Times(2, 3)}]) == {NATIVE: Times(2.5, 3.5)}


def test_a_part_of_a_data_set_has_no_boxes_of_other_pictures() -> None:
    document = {
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
        "annotations": [{"image_id": 1}, {"image_id": 2}, {"image_id": 2}],
        "categories": [{"id": 1}],
    }
    left = without(document, ["a.jpg"])
    assert [picture["id"] for picture in left["images"]] == [2]
    assert left["annotations"] == [{"image_id": 2}, {"image_id": 2}] and left["categories"] == [{"id": 1}]


def test_code_is_what_size_counts_as_text_and_data() -> None:
    table = "   text\t   data\t    bss\t    dec\t    hex\tfilename\n   1000\t     24\t      8\t   1032\t    408\ta.o\n"
    assert parse_sizes(table) == [1024]


def test_times_of_another_machine_become_the_same_figures(tmp_path: Path) -> None:
    flags = " ".join(KINDS["AMX"] + KINDS["AVX-512 VNNI"] + KINDS["AVX2"])
    (tmp_path / "lscpu.txt").write_text(f"Model name: any\nFlags:               sse2 {flags}\n")
    times = {
        "best": {("native", "float", "fp32", 1): 6, ("native", "float", "bf16", 1): 4, ("native", "int8", "fp32", 1): 2}
        | {("native", "int8", "bf16", 1): 9, ("openvino", "float", "fp32", 1): 10, ("openvino", "float", "bf16", 1): 8},
        "avx2": {
            ("native", "float", "fp32", 1): 12,
            ("native", "int8", "fp32", 1): 5,
            ("openvino", "float", "fp32", 1): 10,
        },
        "threads": {("native", "float", "fp32", 1): 6, ("native", "float", "fp32", 2): 3}
        | {("native", "int8", "fp32", 1): 2, ("native", "int8", "fp32", 2): 1.6},
    }
    for name, rows in times.items():
        for run in (1, 2):
            document = [
                {"engine": engine, "precision": precision, "compute": compute, "threads": threads}
                | {stage: {"p50": run * forward} for stage in ("forward", "total")}
                for (engine, precision, compute, threads), forward in rows.items()
            ]
            (tmp_path / f"{name}-{run}.json").write_text(json.dumps({"rows": document}))
    command = [sys.executable, "-m", "tools.results.engine.elsewhere", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures = {figure["name"]: figure for figure in json.loads(done.stdout)["figures"]}
    measured = {
        name.removeprefix("Plus-m 320: "): (figure["value"], figure["reached"]) for name, figure in figures.items()
    }
    assert measured["native int8 to OpenVINO bf16, forward"] == (0.25, False)
    assert measured["native bf16 to OpenVINO bf16, forward"] == (0.5, False)
    assert measured["native fp32 to OpenVINO fp32, forward"] == (0.6, True)
    assert measured["native int8 to OpenVINO fp32, forward, kernels for AVX2"] == (0.5, True)
    assert measured["native fp32: times faster on two threads"] == (2, True)
    assert measured["native int8: times faster on two threads"] == (1.25, False)
    assert not any("int8 bf16" in name for name in figures)
