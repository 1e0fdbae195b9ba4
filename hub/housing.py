"""Understands how a housing request moves: its states, who may move it where, and how long each may last.

A pure table. The states are the codes of `status` in `bolig.svar`, and `sendt` before the first answer. It
must not know the store; `hub/referral.py` asks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.errors import Finding, HubError
from hub.message import Sector


class State(StrEnum):
    """Where a request stands at one kommune."""

    SENDT = "sendt"
    MOTTATT = "mottatt"
    ANSVAR_AVKLART = "ansvar_avklart"
    ANSVAR_BESTRIDT = "ansvar_bestridt"
    VENTELISTE = "venteliste"
    TILBUD_MIDLERTIDIG = "tilbud_midlertidig"
    TILBUD_PERMANENT = "tilbud_permanent"
    AVSLAG = "avslag"


_ANSWERS = (State.VENTELISTE, State.TILBUD_MIDLERTIDIG, State.TILBUD_PERMANENT, State.AVSLAG)
_WHOSE = (State.ANSVAR_AVKLART, State.ANSVAR_BESTRIDT)

MOVES: Mapping[State, tuple[State, ...]] = {
    State.SENDT: (State.MOTTATT, *_WHOSE, *_ANSWERS),
    State.MOTTATT: (*_WHOSE, *_ANSWERS),
    State.ANSVAR_AVKLART: _ANSWERS,
    State.VENTELISTE: _ANSWERS,  # again, with another date
    State.TILBUD_MIDLERTIDIG: _ANSWERS,  # a place for the time being is not the end of it
    State.TILBUD_PERMANENT: (State.TILBUD_PERMANENT,),  # the key, the day
    State.AVSLAG: (),  # a complaint is between the person and the kommune; a new request begins anew
    State.ANSVAR_BESTRIDT: (),  # the request has gone on; one that could not stands as before
}
"""From each state, where the kommune that was asked may move it."""

MOVER = Sector.MUNICIPALITY_HOUSING
"""Only the housing office that was asked moves a request. Who asked it, asks anew."""

DAYS: Mapping[State, int] = {State.MOTTATT: 30, State.ANSVAR_AVKLART: 30}
"""How long a state may last before the next answer is overdue (forvaltningsloven § 11 a: an answer, or word
of when it comes, within a month). For `sendt` the agreement says it; other states wait for nothing."""


@dataclass(frozen=True)
class Standing:
    """A request as it stands. `due`: when its next answer is overdue, if it owes one."""

    state: State
    due: datetime | None


def stands(statuses: Iterable[str]) -> State:
    """The state after these answers, oldest first. Every one of them was allowed when it came. An answer
    that the request is not theirs counts only if the request went on: else they can still answer."""
    state = State.SENDT
    for status in statuses:
        state = State(status)
    return state


def move(state: State, status: str, by: Sector, at: datetime) -> Standing:
    """The request after one more answer. Raises route.move-not-allowed with what would be allowed."""
    allowed = MOVES[state] if by is MOVER else ()
    if status not in allowed:
        words = "one of: " + ", ".join(allowed) if allowed else "no more answers"
        nb = "en av: " + ", ".join(allowed) if allowed else "ingen flere svar"
        raise HubError("route.move-not-allowed", [Finding("status", "move", words, nb=nb)])
    after = State(status)
    days = DAYS.get(after)
    return Standing(after, at + timedelta(days=days) if days is not None else None)
