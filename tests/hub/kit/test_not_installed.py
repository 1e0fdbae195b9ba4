"""Understands what a clone is told in which only what the hub itself needs is installed."""

from __future__ import annotations

import sys

import pytest

from hub.errors import HubError
from hub.kit.checked import cases, loaded
from hub.kit.conform import conform, lint


def test_what_is_missing_is_told_before_anything_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(cases("brik-xml", loaded()))
    monkeypatch.setitem(sys.modules, "hypothesis", None)

    with pytest.raises(HubError, match=r"settings\.invalid") as refusal:
        next(conform(case))

    assert [(one.at, one.rule) for one in refusal.value.findings] == [("hypothesis", "installed")]
    assert all(check.holds for check in lint(case))
