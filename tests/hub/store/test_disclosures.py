"""Understands that what is written of a disclosure is a column of it: others are not passed over."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy import Connection

from hub.store import disclosures
from hub.store.disclosures import Disclosure, State

NOBODY = cast("Connection", None)
ITEM = Disclosure(**dict.fromkeys(Disclosure.__dataclass_fields__))  # type: ignore[arg-type]  # none is read


def test_what_is_no_column_is_not_passed_over() -> None:
    with pytest.raises(AssertionError):
        disclosures.move(NOBODY, replace(ITEM, state=State.QUEUED), State.DONE, out_come="delivered")
    with pytest.raises(AssertionError):
        disclosures.note(NOBODY, "x", answerd_at=None)
