"""The moves of a housing request: one table, and everything that is not in it is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import HubError
from hub.housing import MOVES, State, move, stands
from hub.message import Sector
from mappings.types import load_types

AT = datetime(2030, 2, 1, 12, tzinfo=UTC)
HOUSING = Sector.MUNICIPALITY_HOUSING

# from: where the office may move it
ALLOWED = {
    "sendt": "mottatt ansvar_avklart ansvar_bestridt venteliste tilbud_midlertidig tilbud_permanent avslag",
    "mottatt": "ansvar_avklart ansvar_bestridt venteliste tilbud_midlertidig tilbud_permanent avslag",
    "ansvar_avklart": "venteliste tilbud_midlertidig tilbud_permanent avslag",
    "venteliste": "venteliste tilbud_midlertidig tilbud_permanent avslag",
    "tilbud_midlertidig": "venteliste tilbud_midlertidig tilbud_permanent avslag",
    "tilbud_permanent": "tilbud_permanent",
    "avslag": "",
    "ansvar_bestridt": "",
}
PAIRS = [(before, after) for before in ALLOWED for after in (*ALLOWED, "nonsense")]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_request_moves_as_the_table_says_and_not_otherwise(before: str, after: str) -> None:
    allowed = ALLOWED[before].split()
    if after in allowed:
        assert move(State(before), after, HOUSING, AT).state == after
        return

    with pytest.raises(HubError) as refused:
        move(State(before), after, HOUSING, AT)

    (finding,) = refused.value.findings
    assert (refused.value.code, finding.at, finding.rule) == ("route.move-not-allowed", "status", "move")
    assert finding.expected == ("one of: " + ", ".join(allowed) if allowed else "no more answers")
    assert finding.nb == ("en av: " + ", ".join(allowed) if allowed else "ingen flere svar")


@pytest.mark.parametrize("sector", [sector for sector in Sector if sector is not HOUSING])
def test_nobody_but_the_office_that_was_asked_moves_a_request(sector: Sector) -> None:
    with pytest.raises(HubError) as refused:
        move(State.SENDT, "mottatt", sector, AT)

    assert refused.value.findings[0].expected == "no more answers"


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([], "sendt"),
        (["mottatt"], "mottatt"),
        (["mottatt", "venteliste", "tilbud_midlertidig"], "tilbud_midlertidig"),
    ],
)
def test_the_last_answer_says_where_a_request_stands(statuses: list[str], state: str) -> None:
    assert stands(statuses) == state


@pytest.mark.parametrize(
    ("status", "days"),
    [
        ("mottatt", 30),
        ("ansvar_avklart", 30),
        ("venteliste", None),
        ("tilbud_permanent", None),
        ("ansvar_bestridt", None),
        ("avslag", None),
    ],
)
def test_whoever_said_only_that_it_is_theirs_owes_another_answer(status: str, days: int | None) -> None:
    assert move(State.SENDT, status, HOUSING, AT).due == (AT + timedelta(days=days) if days else None)


def test_every_status_of_the_message_type_is_a_state_and_has_its_row() -> None:
    codes = set(load_types()["bolig.svar"].field("status").codes)

    assert {*codes, "sendt"} == set(State) == set(MOVES)
    assert {after for moves in MOVES.values() for after in moves} == codes
