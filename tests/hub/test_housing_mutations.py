"""Every row and check of the moves of a housing request is needed: each is changed, and the table notices."""

from __future__ import annotations

import pytest

from hub import housing
from tests import mutating
from tests.hub import test_housing

MUTATIONS = [
    ("State.SENDT: (State.MOTTATT, *_WHOSE, *_ANSWERS)", "State.SENDT: (*_WHOSE, *_ANSWERS)"),
    ("State.MOTTATT: (*_WHOSE, *_ANSWERS)", "State.MOTTATT: (State.MOTTATT, *_WHOSE, *_ANSWERS)"),
    ("State.AVSLAG: ()", "State.AVSLAG: _ANSWERS"),
    ("State.ANSVAR_BESTRIDT: ()", "State.ANSVAR_BESTRIDT: (State.ANSVAR_AVKLART,)"),
    ("if by is MOVER else ()", ""),
    ("    if status not in allowed:", "    if False:"),
    ("        state = State(status)\n", "        pass\n"),
    ("at + timedelta(days=days) if days is not None else None", "None"),
    ("State.MOTTATT: 30,", "State.MOTTATT: 14,"),
]


@pytest.mark.parametrize(("old", "new"), MUTATIONS, ids=map(str, range(len(MUTATIONS))))
def test_a_check_that_is_taken_out_is_noticed(old: str, new: str) -> None:
    mutating.expect_noticed(housing, old, new, lambda: mutating.cases(test_housing))
