"""Fills the manual's placeholders when it is built: tables that are written down in the code already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from nanoedge.config.documents import shipped_configs
from nanoedge.config.schema import Config
from pydantic import BaseModel


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace `{{ configuration }}` and `{{ configs }}`."""
    if "{{ configuration }}" in markdown:
        markdown = markdown.replace("{{ configuration }}", "\n".join(_rows()))
    if "{{ configs }}" in markdown:
        markdown = markdown.replace("{{ configs }}", "\n".join(_configs()))
    return markdown


def _rows() -> Iterator[str]:
    yield "| key | default | what it is |"
    yield "|---|---|---|"
    yield from _fields(Config, "")


def _fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        nested = [kind for kind in kinds if issubclass(kind, BaseModel)]
        if nested:
            summary = (nested[0].__doc__ or "").strip().splitlines()[0]
            yield f"| **`{prefix}{name}`** | | *{summary}* |"
            yield from _fields(nested[0], f"{prefix}{name}.")
        else:
            default = "required" if field.is_required() else f"`{_plain(field.default)}`"
            yield f"| `{prefix}{name}` | {default} | {field.description or ''} |"


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _configs() -> Iterator[str]:
    yield "| name | what it is |"
    yield "|---|---|"
    for name, path in shipped_configs().items():
        comments = [line[1:].strip() for line in path.read_text().splitlines()[:2] if line.startswith("#")]
        yield f"| `{name}` | {' '.join(comments)} |"
