"""Understands that a narrow screen does not cut off what came of a disclosure, and why."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from hub.demo.command import _table
from hub.demo.world import NAMES
from hub.errors import PROBLEMS
from mappings.agreements import load_agreements
from mappings.types import load_types

CODES = sorted(code for code in PROBLEMS if code.startswith(("decide.", "route.")))


@pytest.mark.parametrize("code", CODES)
def test_outcome_and_code_stand_whole_on_eighty_columns(code: str) -> None:
    name = max(NAMES.values(), key=len)
    agreement = max((a.id for a in load_agreements(load_types())), key=len)
    out = Console(file=StringIO(), width=80)

    out.print(_table([{"recipient": name, "agreement": agreement, "outcome": "delivered", "code": code}]))

    shown = out.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert f"delivered │ {code}" in shown
    assert "…" not in shown
