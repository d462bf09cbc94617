"""Options of int8 that do not fit together are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nanoedge.errors import InputError
from nanoedge.export.int8.request import Int8Request, Truth, int8_request

FOLDER, FILE = Path("pictures"), Path("truth.json")


def test_without_int8_nothing_is_asked_for() -> None:
    assert int8_request(False) is None


def test_what_is_not_given_has_the_documented_value() -> None:
    assert int8_request(True, FOLDER) == Int8Request(FOLDER, 200, None)
    assert int8_request(True, FOLDER, annotations=FILE, images=FOLDER) == Int8Request(
        FOLDER, 200, Truth(FILE, FOLDER, 0.005)
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "--int8 needs pictures .* --calibration DIR"),
        ({"calibration": FOLDER, "calibration_images": 0}, "--calibration-images must be at least 1, not 0"),
        ({"calibration": FOLDER, "calibration_images": -3}, "--calibration-images must be at least 1, not -3"),
        ({"calibration": FOLDER, "annotations": FILE}, "--annotations needs --images DIR"),
        ({"calibration": FOLDER, "images": FOLDER}, "--images needs --annotations FILE"),
        ({"calibration": FOLDER, "max_drop": 0.01}, "--max-drop needs true boxes .* --annotations FILE"),
        ({"calibration": FOLDER, "annotations": FILE, "max_drop": 0.01}, "--annotations needs --images DIR"),
        *(
            (
                {"calibration": FOLDER, "annotations": FILE, "images": FOLDER, "max_drop": value},
                f"--max-drop is a difference of AP between 0 and 1, not {value:g}",
            )
            for value in (-0.1, 1.5, float("nan"))
        ),
    ],
)
def test_options_that_do_not_fit_are_named(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        int8_request(True, **options)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"calibration": FOLDER}, "--calibration"),
        ({"calibration_images": 10}, "--calibration-images"),
        ({"annotations": FILE, "images": FOLDER}, "--annotations"),
        ({"max_drop": 0.0}, "--max-drop"),
    ],
)
def test_options_of_int8_are_refused_without_it(options: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is about int8: add --int8"):
        int8_request(False, **options)
