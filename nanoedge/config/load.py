"""Reading a configuration: a file or a shipped name, plus `key=value` overrides, into the schema."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nanoedge.config.documents import parse_yaml, read_yaml, shipped_configs
from nanoedge.config.explain import explain
from nanoedge.config.schema import Config
from nanoedge.errors import ConfigError


def find_config(name_or_path: str) -> Path:
    """The file of a shipped name or a path.

    Raises:
        ConfigError: when neither exists; names what is close.
    """
    shipped = shipped_configs()
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    if os.path.isfile(path):  # Path.is_file raises for a name that is too long
        return path
    close = difflib.get_close_matches(name_or_path, shipped, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ConfigError(
        f"There is no configuration file {name_or_path!r}, and no shipped one of that name.{hint} "
        f"Shipped: {', '.join(shipped)}."
    )


def load_config(name_or_path: str, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration and apply `key=value` overrides.

    Args:
        name_or_path: a shipped name such as `nanodet-plus-m_320`, or a YAML file.
        overrides: for example `["training.epochs=30", "data.root=/data/mine"]`; values are read as YAML.

    Raises:
        ConfigError: for a missing file, an unknown key (with the right one) or a bad value. No data path is touched.
    """
    path = find_config(name_or_path)
    document = read_yaml(path)
    for override in overrides:
        _apply_override(document, override)
    return config_from_dict(document, _origin(path, overrides))


def config_with(config: Config, overrides: Sequence[str], source: str) -> Config:
    """A configuration with `key=value` overrides; `source` names it in errors.

    Raises:
        ConfigError: for an unknown key or a bad value.
    """
    document = config.model_dump(mode="json")
    for override in overrides:
        _apply_override(document, override)
    return config_from_dict(document, f"{source} with the settings of the command line")


def _origin(path: Path, overrides: Sequence[str]) -> str:
    """Who is to blame for a bad value: the file, or the settings that were given beside it."""
    if not overrides:
        return str(path)
    try:
        Config.model_validate(read_yaml(path))
    except ValidationError:
        return f"{path} with the settings of the command line"
    return "The settings of the command line"


def config_from_dict(document: dict[str, Any], source: str) -> Config:
    """Validate a configuration; `source` names it in errors."""
    try:
        return Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"{source}: {explain(error, Config)}") from error


def _apply_override(document: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"The override {override!r} is not of the form key=value, such as training.epochs=30.")
    try:
        value = parse_yaml(text)
    except ValueError as error:
        raise ConfigError(f"The value of {key!r} is not valid YAML: {text!r}.") from error
    place = document
    *parents, last = key.split(".")
    for parent in parents:
        inner = place.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{key!r} cannot be set: {parent!r} holds a value, not a group of keys.")
        place = inner
    place[last] = value
