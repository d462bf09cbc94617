"""How wrong the model is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.cost_model.check import Compared, by_kind, clock, error_of, is_known


def test_only_cpus_that_the_model_has_numbers_of_are_compared(tmp_path: Path) -> None:
    def known(text: str) -> bool:
        file = tmp_path / "cpuinfo"
        file.write_text(text)
        return is_known(file)

    zen = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\nmodel\t\t: {model}\nmodel name\t: x\n"
    assert known(zen.format(model=1)) and known(zen.format(model=8))
    assert not known(zen.format(model=49))
    assert not known(zen.format(model=1).replace("23", "25")) and not known("CPU part: 0xd0b\n")
    assert not is_known(tmp_path / "missing")


def test_the_error_is_that_of_layers_that_matter() -> None:
    layers = [Compared("a", "k", 10, 5), Compared("b", "k", 10, 10), Compared("c", "m", 10, 12)]
    layers.append(Compared("d", "m", 0.01, 1))
    error = error_of(layers)
    assert error.total == 28 / 30.01
    assert (error.median, error.worst) == (1, 0.5) and error.within_a_third == 2 / 3
    first, second = by_kind(layers)
    assert (first.kind, first.name, first.ratio) == ("k", "2 layers", 0.75)
    assert (second.kind, second.modelled) == ("m", 13)


@pytest.mark.slow
def test_the_clock_of_this_machine_is_found() -> None:
    assert 0.5 < clock() < 8
