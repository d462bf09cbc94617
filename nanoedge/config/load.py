"""Reading a configuration: a file or a shipped name, plus `key=value` overrides, into the schema."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from nanoedge.config.explain import explain
from nanoedge.config.schema import Config
from nanoedge.errors import ConfigError


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice and reads 1e-3 as a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} cannot be a key", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands here a second time", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_StrictLoader.yaml_implicit_resolvers = {
    first: list(resolvers) for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def shipped_configs() -> dict[str, Path]:
    """The configurations that come with NanoEdge, name to file.

    They lie inside an installed package, and beside the package in a checkout.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "configs", package.parent / "configs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        ConfigError: when the file is missing, no YAML, or no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration {path} cannot be read: {error}.") from error
    try:
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that does not exist
        raise ConfigError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must hold 'key: value' lines at the top, not {type(document).__name__}.")
    return document


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
        value = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"The value of {key!r} is not valid YAML: {text!r}.") from error
    place = document
    *parents, last = key.split(".")
    for parent in parents:
        inner = place.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{key!r} cannot be set: {parent!r} holds a value, not a group of keys.")
        place = inner
    place[last] = value
