"""Recipes: settings of augmentation and training that belong together, and which one a data set gets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args

from nanoedge.config.documents import read_yaml, shipped_folder

RecipeName = Literal["auto", "nanodet-plus", "small-data", "fine-tuning"]
SHIPPED_RECIPES: tuple[str, ...] = tuple(name for name in get_args(RecipeName) if name != "auto")
SMALL_DATA = 5000  # training pictures; below, `auto` is small-data


@cache
def recipe_document(name: str) -> dict[str, Any]:
    """The settings of a shipped recipe: some of a configuration's groups."""
    return read_yaml(shipped_folder() / "recipes" / f"{name}.yaml")


def recipe_for(pictures: int) -> Literal["nanodet-plus", "small-data"]:
    """What `auto` means for that many training pictures."""
    return "small-data" if pictures < SMALL_DATA else "nanodet-plus"


def filled_in(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A configuration with the recipe's settings wherever it has none of its own."""
    filled = dict(document)
    for group, settings in recipe_document(name).items():
        own = filled.get(group, {})
        filled[group] = {**settings, **own} if isinstance(own, Mapping) else own
    return filled
