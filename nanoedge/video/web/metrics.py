"""Measurements in Prometheus' text format, https://prometheus.io/docs/instrumenting/exposition_formats/."""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "nanoedge_"
Labels = tuple[tuple[str, str], ...]


class MetricsText:
    """Lines of metrics, gathered one after the other."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, name: str, kind: str, meaning: str, values: Mapping[Labels, float]) -> None:
        """One metric.

        Args:
            name: without prefix; a counter's ends with `_total`.
            kind: `gauge` or `counter`.
            meaning: a sentence.
            values: labels to value; no labels are `()`.
        """
        self._lines += [f"# HELP {PREFIX}{name} {meaning}", f"# TYPE {PREFIX}{name} {kind}"]
        for labels, value in values.items():
            inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
            self._lines.append(f"{PREFIX}{name}{f'{{{inner}}}' if inner else ''} {value:.10g}")

    def gauge(self, name: str, meaning: str, value: float | None) -> None:
        """One value; left out where it is not known."""
        if value is not None:
            self.add(name, "gauge", meaning, {(): value})

    def text(self) -> str:
        """The page."""
        return "\n".join(self._lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
