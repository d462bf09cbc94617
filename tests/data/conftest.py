"""Small data sets in every format."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.data.folders import WRITE


@pytest.fixture(params=sorted(WRITE))
def any_format(request: pytest.FixtureRequest) -> str:
    """Runs a test once a format."""
    return request.param


@pytest.fixture
def folder(any_format: str, tmp_path: Path) -> Path:
    """The same small data set in that format."""
    return WRITE[any_format](tmp_path / "set")
