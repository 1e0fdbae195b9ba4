"""Understands what another policy would have decided about what the hub has decided.

Every stored disclosure of a period is decided twice by the pipeline's own function, under both packs,
at its own moment and on the consents as they were known then. Labels are made with today's lists; whether
an address is protected, and whose number somebody described has, is as it is today. Only paths without
indices and codes come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from consent.intake import read as read_consent
from consent.policy_files import load_pack
from consent.rows import Approval, Pack, flow_of
from hub import pipeline, policy
from hub.case import Case, read_case
from hub.errors import Finding, HubError
from hub.message import Decision, Item, ItemDecision, Permitted, Verdict
from hub.parts import Parts
from hub.store import approvals, disclosures, on_file
from hub.store.schema import disclosure


class Change(StrEnum):
    """What would become of an item."""

    RELEASED = "released"  # it did not go, and would
    WITHHELD = "withheld"  # it went, and would not
    GROUND = "ground"  # the same, on another ground


class Kind(NamedTuple):
    """What changes alike: under which agreement, from which reason and row to which."""

    change: Change
    agreement: str
    before: tuple[str, str]
    after: tuple[str, str]


@dataclass
class Group:
    """How often it would change, in which disclosures, and what the fields are about."""

    items: int = 0
    disclosures: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)


@dataclass
class Report:
    """`unreadable`: disclosures whose keys are gone or whose parties or agreement are missing."""

    before: Pack
    after: Pack
    looked_at: int = 0
    unreadable: int = 0
    groups: dict[Kind, Group] = field(default_factory=dict)

    def of(self, change: Change) -> Mapping[Kind, Group]:
        return {kind: group for kind, group in sorted(self.groups.items()) if kind.change is change}


def pack_named(tx: Connection, parts: Parts, name: str, base: Pack | None = None) -> Pack:
    """`now` (what decides), `strict`, `statutory`; and with a base `+L21` or `-L21`: the base with the
    statutory form of that flow switched on or off. Raises policy.no-such-flow."""
    strict = parts.pack.base or parts.pack
    if name == "now":
        return policy.switched(strict, approvals.steps(tx))
    if name in ("strict", "statutory"):
        return load_pack(name)
    flow = flow_of(name[1:])
    if base is None or name[:1] not in ("+", "-") or flow not in strict.forms:
        expected = "now, strict, statutory; for --to also +ROW or -ROW"
        raise HubError("policy.no-such-flow", [Finding("policy", "unknown", expected)])
    on = {row.flow: row.approval for row in base.rows if row.approval and _is_switched(base, row.flow)}
    if name[0] == "+":
        on[flow] = Approval(("if",), date(1900, 1, 1), "if")
    else:
        on.pop(flow, None)
    return strict.switched({f: replace(a, of=strict.form_digest(f)) for f, a in on.items()})


def _is_switched(pack: Pack, flow: str) -> bool:
    """Whether the statutory form of the flow decides in that pack by an approval."""
    return pack.base is not None and pack.of_flow(flow) != pack.base.of_flow(flow)


def compare(tx: Connection, parts: Parts, before: Pack, after: Pack, *, since: datetime) -> Report:
    """Decide everything since then under both."""
    report = Report(before, after)
    query = disclosure.c.created_at >= since
    for item in disclosures.where(tx, query, disclosure.c.recipient != "", limit=1_000_000):
        try:
            case = read_case(tx, parts, item)
        except HubError:
            case = None
        if case is None:
            report.unreadable += 1
            continue
        report.looked_at += 1
        _compare_case(tx, parts, case, report)
    return report


def _compare_case(tx: Connection, parts: Parts, case: Case, report: Report) -> None:
    at = case.item.handed_over_at or case.item.created_at
    given = on_file.of_person(tx, parts.vault, case.person, read_consent)

    def decided(pack: Pack) -> tuple[Decision, Permitted | None]:
        with_pack = replace(parts, pack=pack)
        return pipeline.decide_for(with_pack, case.route, case.labelled, case.person, given, at)

    old, new = _verdicts(*decided(report.before)), _verdicts(*decided(report.after))
    for path, (went, was) in old.items():
        goes, becomes = new[path]
        if went == goes and (was.reason, was.row) == (becomes.reason, becomes.row):
            continue
        change = Change.GROUND if went == goes else Change.RELEASED if goes else Change.WITHHELD
        ground = (was.reason, was.row or ""), (becomes.reason, becomes.row or "")
        group = report.groups.setdefault(Kind(change, case.route.agreement.id, *ground), Group())
        group.items += 1
        group.disclosures.add(case.item.id)
        group.fields.add(Item(path, frozenset(), frozenset()).field)


def _verdicts(decision: Decision, permitted: Permitted | None) -> dict[str, tuple[bool, ItemDecision]]:
    """Of each item whether it goes, which also hangs on the envelope, and what was said of it."""
    goes = decision.paths(Verdict.PERMIT) if permitted is not None else frozenset()
    return {item.path: (item.path in goes, item) for item in decision.items}


def since(parts: Parts, days: int) -> datetime:
    return parts.clock() - timedelta(days=days)
