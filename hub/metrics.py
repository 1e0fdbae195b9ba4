"""Understands what a monitoring system may read: how much work there is and how old the oldest is.

No label names an agency, a person, a type or an outcome. What waits for a consent, and what lies in
inboxes, is not counted: those numbers would tell what was decided.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hub import standing
from hub.parts import Parts
from hub.store.disclosures import State
from hub.trail import STEPS

_COUNTED = (State.QUEUED, State.PARKED)


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
        yield from _amounts(now)
        yield from _depths(now)


def _amounts(now: standing.Standing) -> Iterator[GaugeMetricFamily]:
    count = GaugeMetricFamily("bro_disclosures", "Disclosures with work left", labels=["state"])
    oldest = GaugeMetricFamily(
        "bro_disclosures_oldest_seconds", "Age of the oldest, 0 when there is none", labels=["state"]
    )
    for amount in now.amounts:
        if amount.state in _COUNTED:
            count.add_metric([amount.state], amount.count)
            oldest.add_metric([amount.state], amount.oldest.total_seconds() if amount.oldest else 0)
    yield count
    yield oldest


def _depths(now: standing.Standing) -> Iterator[GaugeMetricFamily]:
    depth = GaugeMetricFamily("bro_queue_messages", "What lies in a queue", labels=["queue"])
    for name, lying in (now.depths or {}).items():
        depth.add_metric([name], lying.messages)
    yield depth
