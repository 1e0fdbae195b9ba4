"""Understands what a monitoring system may read: how much work there is and how old the oldest is.

No label names an agency, a person, a type or an outcome. Every routed disclosure is tried once, whether
anything may go or not, so what is not tried yet is counted. What was tried and waits for its recipient,
what is parked, lies in inboxes or waits for a consent, is not, nor how many messages lie in the queues,
where each retry lies for a moment: those numbers would tell what was decided. They stand in the console
and on the command line.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hub import standing
from hub.parts import Parts
from hub.trail import STEPS


def registry(parts: Parts) -> CollectorRegistry:
    """Everything that /metrics shows of one hub."""
    shown = CollectorRegistry()
    shown.register(STEPS)
    shown.register(_Work(parts))
    return shown


class _Work(Collector):
    """Reads the store and the queue when it is asked, so the numbers are never old."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # registering must not read the store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = standing.read(self._parts)
        up = GaugeMetricFamily("bro_up", "1 when it answers", labels=["part"])
        up.add_metric(["store"], float(now.store))
        up.add_metric(["queue"], float(now.queue))
        yield up
        if now.untried is not None:
            yield from _untried(now)


def _untried(now: standing.Standing) -> Iterator[GaugeMetricFamily]:
    untried = now.untried
    assert untried is not None
    yield GaugeMetricFamily("bro_untried", "Disclosures that were not tried yet", value=untried.count)
    oldest = untried.oldest.total_seconds() if untried.oldest else 0
    yield GaugeMetricFamily(
        "bro_untried_oldest_seconds", "Age of the oldest, 0 if there is none", value=oldest
    )
