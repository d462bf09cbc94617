"""Prometheus' text format."""

from __future__ import annotations

from nanoedge.video.web.metrics import MetricsText


def test_metrics_are_written_as_prometheus_reads_them() -> None:
    text = MetricsText()
    text.add("events_total", "counter", "What happened.", {(("what", 'a"b\\c'),): 3.0, (): 1234567.0})
    text.gauge("load1", "Load.", None)
    text.gauge("rate", "Rate.", 12.5)
    assert text.text() == (
        "# HELP nanoedge_events_total What happened.\n"
        "# TYPE nanoedge_events_total counter\n"
        'nanoedge_events_total{what="a\\"b\\\\c"} 3\n'
        "nanoedge_events_total 1234567\n"
        "# HELP nanoedge_rate Rate.\n"
        "# TYPE nanoedge_rate gauge\n"
        "nanoedge_rate 12.5\n"
    )
