"""Understands whether the audit log is whole: nothing changed, removed, swapped or left out.

Reads everything, trusts nothing that it can compute. What it cannot see: an operator who holds the
signing key and rewrites all of it; against that an older checkpoint kept elsewhere is given to
`verify(..., remembered=...)`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select

from hub.audit import tree
from hub.audit.log import ORIGIN, Kind, nobody, open_private, read_note
from hub.errors import HubError
from hub.message import Outcome
from hub.store.consents import Ends
from hub.store.engine import Store
from hub.store.schema import (
    audit_checkpoint,
    audit_leaf,
    consent,
    disclosure,
    hold_entry,
    information_request,
    person,
    registered_gp,
)
from hub.vault import Vault


class Given(StrEnum):
    """What the text is that was given as the remembered checkpoint. The last two say nothing of the log."""

    NOTHING = "nothing"
    CHECKPOINT = "checkpoint"
    FOREIGN = "signed-by-another-key"
    NO_CHECKPOINT = "no-checkpoint"


@dataclass
class Report:
    """What was checked and what is wrong. `faults` are (what, where) with no content."""

    leaves: int = 0
    checkpoints: int = 0
    forgotten: int = 0
    hand_overs: int = 0
    root: str = ""
    given: Given = Given.NOTHING
    faults: list[tuple[str, str]] = field(default_factory=list)

    @property
    def whole_by_itself(self) -> bool:
        """No fault in the log, whatever was given beside it."""
        return not self.faults

    @property
    def whole(self) -> bool:
        """Everything that was to be checked was, also against what was given, and is right."""
        return self.whole_by_itself and self.given in (Given.NOTHING, Given.CHECKPOINT)


def verify(store: Store, vault: Vault, *, remembered: str | None = None) -> Report:
    """Re-derive the tree, check every signature, and match the leaves with the disclosures.

    `remembered`: an older signed checkpoint kept outside; the log must still begin with it. A text that is
    none of this log's is no fault of the log: `Report.given` says so, and it is not `whole`.
    """
    report = Report()
    with store.reading() as view:
        frontiers = _check_tree(view, report)
        _check_checkpoints(view, vault, frontiers, remembered, report)
        _check_tables(view, vault, report)
    return report


def _check_tree(view: Connection, report: Report) -> dict[int, list[bytes]]:
    """The tree at every size that a checkpoint claims, as its frontier, from the leaves alone."""
    claimed = set(view.scalars(select(audit_checkpoint.c.size)))
    rows = view.execute(
        select(audit_leaf.c.position, audit_leaf.c.public)
        .where(audit_leaf.c.position.is_not(None))
        .order_by(audit_leaf.c.position)
    )
    frontiers: dict[int, list[bytes]] = {0: []}
    frontier: list[bytes] = []
    for size, row in enumerate(rows):
        if row.position != size:
            report.faults.append(("leaf missing", f"position {size}"))
            break
        frontier = tree.grow(frontier, size, tree.leaf_hash(row.public.encode()))
        report.leaves = size + 1
        if size + 1 in claimed:
            frontiers[size + 1] = frontier
    report.root = tree.root(frontier).hex()
    return frontiers


def _check_checkpoints(
    view: Connection,
    vault: Vault,
    frontiers: dict[int, list[bytes]],
    remembered: str | None,
    report: Report,
) -> None:
    public_key = vault.log_key.public_key()
    newest = 0
    columns = audit_checkpoint.c
    for row in view.execute(select(columns.size, columns.note, columns.frontier)):
        report.checkpoints += 1
        newest = max(newest, row.size)
        claim = read_note(row.note, public_key)
        if claim is None or claim[0] != row.size:
            report.faults.append(("checkpoint signature is not good", f"size {row.size}"))
        elif row.size not in frontiers or tree.root(frontiers[row.size]) != claim[1]:
            report.faults.append(("leaves do not give the signed root", f"size {row.size}"))
        elif row.frontier.split() != [node.hex() for node in frontiers[row.size]]:
            report.faults.append(("the tree would not go on from here", f"size {row.size}"))
    if newest != report.leaves:
        report.faults.append(("checkpoint and leaves differ in number", f"size {newest}"))
    pending = view.scalar(select(audit_leaf.c.id).where(audit_leaf.c.position.is_(None)).limit(1))
    if pending is not None:
        report.faults.append(("leaves wait for the tree; integrate first", f"leaf {pending}"))
    if remembered is not None:
        claim = read_note(remembered, public_key)
        report.given = Given.CHECKPOINT
        if claim is None:
            signed = remembered.startswith(f"{ORIGIN}\n") and f"\n\n— {ORIGIN} " in remembered
            report.given = Given.FOREIGN if signed else Given.NO_CHECKPOINT
        elif claim[0] > report.leaves or _root_at(view, claim[0]) != claim[1]:
            report.faults.append(("the log does not begin with the remembered one", f"size {claim[0]}"))


def _root_at(view: Connection, size: int) -> bytes:
    leaves = view.scalars(
        select(audit_leaf.c.public).where(audit_leaf.c.position < size).order_by(audit_leaf.c.position)
    )
    return tree.root_of([tree.leaf_hash(public.encode()) for public in leaves])


@dataclass
class _Told:
    """What the leaves of readable persons tell, to be found again in the tables."""

    decided: set[tuple[str, int]] = field(default_factory=set)
    handed: dict[str, str] = field(default_factory=dict)  # disclosure -> recipient
    given: set[tuple[str, str, int]] = field(default_factory=set)  # person, consent, version
    withdrawn: set[tuple[str, str, int]] = field(default_factory=set)
    narrowed: set[tuple[str, str, int]] = field(default_factory=set)
    asked: set[tuple[str, str]] = field(default_factory=set)  # person, request
    ended: set[tuple[str, str]] = field(default_factory=set)
    gps: set[tuple[str, str]] = field(default_factory=set)  # person, record of a registered GP
    at_desk: Counter[str] = field(default_factory=Counter)  # disclosure -> lines in the desk's book


def _check_tables(view: Connection, vault: Vault, report: Report) -> None:
    """The tables say what the leaves say: hand-overs with their permitting decisions, consents and
    withdrawals."""
    keys = {row.id: row.wrapped_key for row in view.execute(select(person.c.id, person.c.wrapped_key))}
    about_nobody = nobody(vault)
    keys[about_nobody.id] = about_nobody.key
    told = _Told()
    for row in view.execute(select(audit_leaf).order_by(audit_leaf.c.id)):
        try:
            private = open_private(vault, keys.get(row.person_id), row)
        except (HubError, ValueError):
            if keys.get(row.person_id, b"") is None:
                report.forgotten += 1
            else:
                report.faults.append(("private part does not match the public one", f"leaf {row.id}"))
            continue
        _match(row, private, told, report)
    report.hand_overs = len(told.handed)
    readable = {person_id for person_id, key in keys.items() if key is not None}
    _check_disclosures(view, told, readable, report)
    _check_consents(view, told, readable, report)
    _check_requests(view, told, readable, report)
    _check_gps(view, told, readable, report)
    _check_holds(view, told, readable, report)


def _check_holds(view: Connection, told: _Told, readable: set[str], report: Report) -> None:
    """Every line of the desk's book has its leaf and the other way round: a no that is taken out would
    let an older yes stand again."""
    rows = view.execute(
        select(hold_entry.c.disclosure_id, disclosure.c.person_id).join(
            disclosure, disclosure.c.id == hold_entry.c.disclosure_id
        )
    )
    kept = Counter(row.disclosure_id for row in rows if row.person_id in readable)
    for found in sorted(kept.keys() | told.at_desk.keys()):
        if kept[found] != told.at_desk[found]:
            report.faults.append(("lines of the desk and leaves differ in number", f"disclosure {found}"))


def _check_disclosures(view: Connection, told: _Told, readable: set[str], report: Report) -> None:
    columns = (
        disclosure.c.id,
        disclosure.c.person_id,
        disclosure.c.recipient,
        disclosure.c.handed_over_at,
        disclosure.c.outcome,
    )
    known = set()
    for found in view.execute(select(*columns)):
        known.add(found.id)
        if found.person_id not in readable:
            continue
        sent = found.handed_over_at is not None or found.outcome in (Outcome.DELIVERED, Outcome.REDUCED)
        recipient = told.handed.get(found.id)
        if sent and recipient is None:
            report.faults.append(("handed over without a leaf", f"disclosure {found.id}"))
        if not sent and recipient is not None:
            report.faults.append(("leaf of a hand-over that the row denies", f"disclosure {found.id}"))
        if recipient is not None and recipient != found.recipient:
            report.faults.append(("handed over to another than the row says", f"disclosure {found.id}"))
    for gone in sorted(set(told.handed) - known):
        report.faults.append(("leaf of a hand-over without its row", f"disclosure {gone}"))


def _check_consents(view: Connection, told: _Told, readable: set[str], report: Report) -> None:
    ends = (consent.c.withdrawn_at, consent.c.permissions_ended_at)
    columns = (consent.c.person_id, consent.c.series, consent.c.version, *ends)
    rows = [row for row in view.execute(select(*columns)) if row.person_id in readable]
    given = {(row.person_id, row.series, row.version) for row in rows}
    withdrawn = {(r.person_id, r.series, r.version) for r in rows if r.withdrawn_at is not None}
    narrowed = {(r.person_id, r.series, r.version) for r in rows if r.permissions_ended_at is not None}
    for what, differing in (
        ("consent row without its leaf", given - told.given),
        ("leaf of a consent without its row", told.given - given),
        ("withdrawn in the row, not in the log", withdrawn - told.withdrawn),
        ("withdrawn in the log, not in the row", told.withdrawn - withdrawn),
        ("permissions ended in the row, not in the log", narrowed - told.narrowed),
        ("permissions ended in the log, not in the row", told.narrowed - narrowed),
    ):
        for _, series, version in sorted(differing):
            report.faults.append((what, f"consent {series[:12]} version {version}"))


def _check_requests(view: Connection, told: _Told, readable: set[str], report: Report) -> None:
    """A request that nobody recorded would open a way, and so would one whose end is taken out."""
    columns = (information_request.c.id, information_request.c.person_id, information_request.c.ended_at)
    rows = [row for row in view.execute(select(*columns)) if row.person_id in readable]
    asked = {(row.person_id, row.id) for row in rows}
    ended = {(row.person_id, row.id) for row in rows if row.ended_at is not None}
    for what, differing in (
        ("request row without its leaf", asked - told.asked),
        ("leaf of a request without its row", told.asked - asked),
        ("request ended in the row, not in the log", ended - told.ended),
        ("request ended in the log, not in the row", told.ended - ended),
    ):
        report.faults += [(what, f"request {request}") for _, request in sorted(differing)]


def _check_gps(view: Connection, told: _Told, readable: set[str], report: Report) -> None:
    columns = (registered_gp.c.id, registered_gp.c.person_id)
    kept = {(row.person_id, row.id) for row in view.execute(select(*columns)) if row.person_id in readable}
    for what, differing in (
        ("record of a GP without its leaf", kept - told.gps),
        ("leaf of a GP without its row", told.gps - kept),
    ):
        report.faults += [(what, f"record {record}") for _, record in sorted(differing)]


def _match(row: Any, private: dict[str, Any], told: _Told, report: Report) -> None:
    if private["person"] != row.person_id or private["disclosure"] != (row.disclosure_id or ""):
        report.faults.append(("leaf was moved to another row", f"leaf {row.id}"))
    attempt = (private["disclosure"], int(private.get("attempt", 0)))
    match _kind(row):
        case Kind.DECISION if private.get("permits"):
            told.decided.add(attempt)
        case Kind.HAND_OVER:
            told.handed[private["disclosure"]] = private["recipient"]
            if attempt not in told.decided:
                report.faults.append(("handed over without a permitting decision", f"leaf {row.id}"))
        case Kind.READ | Kind.HOLD:
            told.at_desk[private["disclosure"]] += 1
        case Kind.CONSENT:
            told.given.add((row.person_id, private["consent"], private["version"]))
        case Kind.REQUEST:
            known = told.asked if private["action"] == "add" else told.ended
            known.add((row.person_id, private["request"]))
        case Kind.IDENTITY if private.get("action") == "registered-gp":
            told.gps.add((row.person_id, private["record"]))
        case Kind.WITHDRAWAL:
            series, version = (row.person_id, private["consent"]), int(private.get("version", 0))
            ended = {given for given in told.given if given[:2] == series and version in (0, given[2])}
            if private.get("ends") == Ends.PERMISSIONS:
                told.narrowed |= ended
            else:
                told.withdrawn |= ended
        case _:
            pass


def _kind(row: Any) -> str:
    return str(json.loads(row.public)["kind"])
