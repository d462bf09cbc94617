"""The JSON Schema that ships is the one of the code."""

from __future__ import annotations

import json
from pathlib import Path

import nanoedge.bundle
from nanoedge.bundle.manifest import manifest_schema


def test_the_shipped_schema_is_up_to_date() -> None:
    shipped = Path(nanoedge.bundle.__file__).with_name("manifest.schema.json")
    assert json.loads(shipped.read_text()) == manifest_schema()
