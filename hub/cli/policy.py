"""Understands how policy rows are shown, tried out, and switched on and off by two persons."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.installed import open_parts
from hub.cli.shown import console, moment, say, say_json, table
from hub.counted import counted

if TYPE_CHECKING:
    from consent.rows import Pack, Row
    from hub.policy_diff import Change, Report
    from hub.store.approvals import Step

_SQLITE = "sqlite:///"
_SHOWN = 16  # of a fingerprint: enough for two persons to compare


@click.group(
    epilog="""\b
Examples:
  bro policy list
  bro policy show L21
  bro policy diff --from now --to +L21
  bro policy approve L21 --by "Kari Lunde" --document sak-2026-14
  bro policy revoke L21 --by "Kari Lunde" --reason "under review\""""
)
def policy() -> None:
    """See the policy rows that decide, and switch what the statute allows on and off.

    The strict pack decides: substance-use information needs a consent in every flow. The statutory form
    of a flow takes its place when two different persons have approved it, each in a call of their own.
    """


_json = click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
_by = click.option("--by", required=True, metavar="NAME", help="Who does it, by name.")


@policy.command(
    name="list",
    epilog="""\b
Examples:
  bro policy list
  bro policy list --pack statutory
  bro policy list --json | jq '.rows[] | select(.approved | not) | .row'""",
)
@click.option(
    "--pack",
    "name",
    type=click.Choice(["now", "strict", "statutory"]),
    default="now",
    show_default=True,
    help="Which pack: what decides now, or one of the two shipped ones.",
)
@_json
def list_rows(name: str, as_json: bool) -> None:
    """Every row of a pack, with its law and who approved it.

    A row that no agency's lawyer has approved is marked; a draft is listed and decides nothing.
    """
    from consent.policy_files import load_pack

    steps = _steps()
    pack = _now(steps) if name == "now" else load_pack(name)
    rows = [_plain(row, decides=True) for row in pack.rows]
    rows += [_plain(row, decides=False) for row in pack.drafts]
    waiting = _waiting(steps, pack)
    if as_json:
        told = {"pack": pack.name, "digest": pack.digest, "rows": rows, "unapproved": pack.unapproved}
        say_json(told | {"waiting": waiting})
        return
    deciding = counted(len(pack.rows), "row that decides", "rows that decide")
    say(f"pack {pack.name}, {deciding}, digest {pack.digest[:16]}")
    table(
        ("row", "effect", "from", "to", "purpose", "categories", "legal", "approved"),
        [
            (
                row["row"],
                row["effect"] if row["decides"] else f"{row['effect']} (draft)",
                _several(row["from"]),
                _several(row["to"]),
                _several(row["purposes"]),
                _several(row["categories"]),
                row["legal"],
                "yes" if row["approved"] else "NO",
            )
            for row in rows
        ],
        empty="No row: nothing may go anywhere.",
    )
    for one in waiting:
        say(f"{one['flow']} is approved by {one['by']} and waits for a second person.")
    if pack.unapproved:
        say(f"{counted(len(pack.unapproved), 'row decides', 'rows decide')} without an agency's approval.")


@policy.command(epilog="\b\nExamples:\n  bro policy show L21\n  bro policy show L21b --json")
@click.argument("row")
@_json
def show(row: str, as_json: bool) -> None:
    """One flow in both its forms: what decides now, what the statute allows, and what was approved."""
    from consent.policy_files import load_pack
    from consent.rows import Form, flow_of

    steps = _steps()
    now, flow = _now(steps), flow_of(row)
    packs = {form.value: load_pack(form) for form in Form}
    _known(now, flow)
    forms = {
        name: [
            _plain(_as_switched(r, now), decides=r in pack.rows) | _standing(r, now)
            for r in (*pack.rows, *pack.drafts)
            if r.flow == flow
        ]
        for name, pack in packs.items()
    }
    told: dict[str, Any] = {
        "flow": flow,
        "decides": [r.ref for r in now.of_flow(flow)],
        "digest": now.form_digest(flow),
        "forms": forms,
        "steps": [_plain_step(step, now) for step in steps if step.flow == flow],
    }
    if as_json:
        say_json(told)
        return
    say(f"flow {flow}; decides now: {', '.join(told['decides']) or 'nothing'}")
    for name, rows in forms.items():
        say(f"{name}:")
        for one in rows:
            _say_row(one)
    say(f"An approval is bound to the statutory form, fingerprint {told['digest'][:_SHOWN]}.")
    for step in told["steps"]:
        old = "" if step["of_this_text"] else ", of an earlier text"
        ground = "; ".join(word for word in (step["document"], step["reason"]) if word)
        say(f"  {moment(step['at'])} {step['did']} by {step['by']}: {ground}{old}")


def _as_switched(row: Row, now: Pack) -> Row:
    """The row as it decides now, with the approval that switched it on; or as it stands in the files."""
    return next((one for one in now.rows if (one.ref, one.digest) == (row.ref, row.digest)), row)


def _standing(row: Row, now: Pack) -> dict[str, Any]:
    """Whether the row is among those that decide, and whether it is the law today."""
    today = datetime.now(UTC).date()
    on = any((one.ref, one.digest) == (row.ref, row.digest) for one in now.rows)
    return {"switched_on": on, "decides_today": on and row.in_force(day=today, known=today)}


def _mark(one: dict[str, Any]) -> str:
    if one["decides_today"]:
        reviewed = "approved" if one["approved"] else "though no agency's lawyer has approved it"
        return f"DECIDES NOW, {reviewed}"
    if one["switched_on"]:
        return "decides, but not for today: see its dates"
    return "decides nothing: " + ("the other form does" if one["decides"] else "a draft")


def _say_row(one: dict[str, Any]) -> None:
    valid = one["valid"]
    say(
        f"  {one['row']} {one['title']['nb']}",
        f"    {one['title']['en']}",
        f"    {_mark(one)}",
        f"    {one['effect']}, {one['legal']}, "
        f"from {valid['from']}"
        + (f" to {valid['to']}" if valid["to"] else "")
        + f", known {one['known_from']}",
        f"    {', '.join(one['from'])} -> {', '.join(one['to'])}",
        f"    for {', '.join(one['purposes'])}",
        f"    {', '.join(one['categories'])}; fields {', '.join(one['fields'])}",
        f"    law: {'; '.join(one['law'])}",
    )
    if one["requires"]:
        say(f"    demands: {', '.join(one['requires'])}")
    if one["approval"]:
        say(f"    {one['status']}: {', '.join(one['approval']['by'])}, {one['approval']['document']}")


@policy.command(
    epilog="""\b
Examples:
  bro policy approve L21 --by "Kari Lunde" --document sak-2026-14
  bro policy approve L21 --by "Per Moen" --document sak-2026-14 --reason "as reviewed\""""
)
@click.argument("row")
@_by
@click.option(
    "--document", default="", metavar="REF", help="Where the approval, or the sign-off, is written."
)
@click.option("--reason", default="", metavar="TEXT", help="Why. Name no person it is about.")
@_json
def approve(row: str, by: str, document: str, reason: str, as_json: bool) -> None:
    """Say yes to the statutory form of a flow, as one of two persons.

    It decides from the second person's yes on. The yes is to the text as it stands: an edited row needs
    two persons anew. A row that is a draft, or needs legal sign-off, needs the document that signed it off.
    """
    from consent.rows import flow_of
    from hub import policy as policies

    parts = open_parts()
    persons = policies.approve(parts, row, by=by, document=document, reason=reason)
    flow = flow_of(row)
    refs = [form.ref for form in parts.pack.forms[flow]]
    digest = parts.pack.form_digest(flow)
    if as_json:
        say_json({"flow": flow, "rows": refs, "digest": digest, "persons": persons, "decides": persons > 1})
        return
    say(f"The yes is to the rows {', '.join(refs)} as `bro policy show {flow}` shows them now,")
    say(f"fingerprint {digest[:_SHOWN]}. The other person should see the same one.")
    if persons > 1:
        say(f"{flow} is approved by {persons} persons. From now on these rows decide: {', '.join(refs)}")
    else:
        say(f"{flow} is approved by one person. It decides nothing until a second person approves it.")


@policy.command(epilog='\b\nExample:\n  bro policy revoke L21 --by "Kari Lunde" --reason "under review"')
@click.argument("row")
@_by
@click.option("--reason", required=True, metavar="TEXT", help="Why. Name no person it is about.")
@_json
def revoke(row: str, by: str, reason: str, as_json: bool) -> None:
    """Take a flow back to its strict form. One person is enough, and it counts at once.

    When the command ends, nothing more goes under the approval, not even what was being sent.
    """
    from consent.rows import flow_of
    from hub import policy as policies

    decided = policies.revoke(open_parts(), row, by=by, reason=reason)
    flow = flow_of(row)
    if as_json:
        say_json({"flow": flow, "decided_before": decided})
    else:
        say(
            f"{flow} is revoked. Its strict form decides."
            if decided
            else f"The approval of {flow} is revoked."
        )


@policy.command(
    epilog="""\b
Examples:
  bro policy diff --to +L21
  bro policy diff --from strict --to statutory --days 90
  bro policy diff --from now --to +L21 --to +L23 --json"""
)
@click.option(
    "--from", "before", default="now", show_default=True, metavar="PACK", help="now, strict or statutory."
)
@click.option(
    "--to",
    "after",
    required=True,
    multiple=True,
    metavar="PACK|+ROW|-ROW",
    help="A pack, or rows to switch on (+L21) or off (-L21) in the first one. May be given several times.",
)
@click.option("--days", type=click.IntRange(1, 36_500), default=30, show_default=True, help="How far back.")
@_json
def diff(before: str, after: tuple[str, ...], days: int, as_json: bool) -> None:
    """Replay what was decided, under two policies, and say what would differ.

    Each disclosure is decided at its own moment, on the consents known then. What would be released
    that was not is said first. Nothing is sent or written; ids, codes and field names are all it tells.
    """
    from hub import policy_diff
    from hub.policy_diff import Change

    parts = open_parts()
    with parts.store.reading() as view:
        first = policy_diff.pack_named(view, parts, before)
        then = first
        for name in after:
            then = policy_diff.pack_named(view, parts, name, then)
        start = policy_diff.since(parts, days)
        report = policy_diff.compare(view, parts, first, then, since=start)
    if as_json:
        told: dict[str, Any] = {
            "from": {"pack": first.name, "digest": first.digest},
            "to": {"pack": then.name, "digest": then.digest},
            "days": days,
            "looked_at": report.looked_at,
            "unreadable": report.unreadable,
        }
        say_json(told | {change.value: _groups(report, change) for change in Change})
        return
    released = _groups(report, Change.RELEASED)
    if released:
        items = sum(group["items"] for group in released)
        console().print(f"WOULD BE RELEASED THAT WAS NOT: {counted(items, 'item')}", style="bold red")
        _say_groups(released)
    else:
        say("Nothing would be released that was not.")
    for change, what in (
        (Change.WITHHELD, "Would no longer go"),
        (Change.GROUND, "Same answer, other ground"),
    ):
        groups = _groups(report, change)
        if groups:
            say(f"{what}: {sum(group['items'] for group in groups)} items")
            _say_groups(groups)
    seen = f"{counted(report.looked_at, 'disclosure')} of {counted(days, 'day')}"
    say(f"{seen} decided under {first.name} and under {then.name}.")
    if report.unreadable:
        say(f"{report.unreadable} could not be read again: keys destroyed, or parties gone.")


def _groups(report: Report, change: Change) -> list[dict[str, Any]]:
    return [
        {
            "agreement": kind.agreement,
            "before": {"reason": kind.before[0], "row": kind.before[1]},
            "after": {"reason": kind.after[0], "row": kind.after[1]},
            "items": group.items,
            "disclosures": sorted(group.disclosures),
            "fields": sorted(group.fields),
        }
        for kind, group in report.of(change).items()
    ]


def _say_groups(groups: list[dict[str, Any]]) -> None:
    table(
        ("agreement", "before", "after", "items", "disclosures", "fields"),
        [
            (
                group["agreement"],
                " ".join(group["before"].values()),
                " ".join(group["after"].values()),
                str(group["items"]),
                f"{len(group['disclosures'])}: " + " ".join(group["disclosures"][:3]),
                ", ".join(group["fields"]),
            )
            for group in groups
        ],
        empty="",
    )


@policy.command(epilog="\b\nExamples:\n  bro policy cases\n  bro policy cases --json")
@_json
def cases(as_json: bool) -> int:
    """Ask every case of every row of both packs. Exit code 1 when a row answers one wrongly."""
    from consent.cases import run_cases

    ran = list(run_cases())
    wrong = [one for one in ran if not one.holds]
    if as_json:
        faults = [
            {
                "case": one.name,
                "pack": one.form.value,
                "expected": one.case.expect.value,
                "verdict": one.got.verdict.value,
                "reason": one.got.reason,
                "row": one.got.row,
            }
            for one in wrong
        ]
        say_json({"whole": not wrong, "cases": len(ran), "faults": faults})
    else:
        for one in wrong:
            got = f"{one.got.verdict} {one.got.reason} {one.got.row or ''}"
            say(f"FAULT {one.name} ({one.form}): expected {one.case.expect}, got {got}")
        say(f"{len(ran) - len(wrong)} of {len(ran)} cases are answered as written.")
    return 1 if wrong else 0


def _steps() -> list[Step]:
    """What was approved and revoked. An installation that has never run has nothing to tell."""
    import os

    from hub.settings import Settings
    from hub.store import approvals
    from hub.store.engine import Store

    settings = Settings.from_env(os.environ)
    if settings.store.startswith(_SQLITE) and not Path(settings.store.removeprefix(_SQLITE)).is_file():
        return []
    store = Store(settings.store)
    store.migrate()
    try:
        with store.reading() as view:
            return approvals.steps(view)
    finally:
        store.close()


def _now(steps: list[Step]) -> Pack:
    from consent.policy_files import load_pack
    from hub import policy as policies

    return policies.switched(load_pack(), steps)


def _known(pack: Pack, flow: str) -> None:
    from hub.errors import Finding, HubError

    if flow not in pack.forms:
        raise HubError("policy.no-such-flow", [Finding("row", "unknown", "a flow, as bro policy list shows")])


def _waiting(steps: list[Step], pack: Pack) -> list[dict[str, Any]]:
    """Approvals of one person that count only with a second one."""
    from hub.store import approvals

    return [
        {"flow": flow, "by": said[0].by, "at": said[0].at}
        for (flow, digest), said in sorted(approvals.standing(steps).items())
        if len(said) < approvals.TWO and flow in pack.forms and digest == pack.form_digest(flow)
    ]


def _plain_step(step: Step, pack: Pack) -> dict[str, Any]:
    return {
        "did": step.did.value,
        "by": step.by,
        "document": step.document,
        "reason": step.reason,
        "at": step.at.astimezone(UTC),
        "of_this_text": step.digest == pack.form_digest(step.flow),
    }


def _several(words: list[str]) -> str:
    return ", ".join(words) if len(words) <= 6 else f"{len(words)} of them"


def _plain(row: Row, *, decides: bool) -> dict[str, Any]:
    approval = row.approval
    wants = row.requires
    demands = [
        name
        for name in ("signed", "explained", "approved_text", "not_under_sentence")
        if getattr(wants, name)
    ]
    demands += ["request on file"] if wants.request_on_file else []
    for name in ("forms", "grantors", "texts", "recorders", "settings"):
        if values := sorted(getattr(wants, name)):
            demands.append(f"{name} {' or '.join(values)}")
    override = row.override
    return {
        "row": row.ref,
        "flow": row.flow,
        "title": {"nb": row.nb, "en": row.en},
        "decides": decides,
        "effect": row.effect.value,
        "from": sorted(row.senders),
        "to": sorted(row.recipients),
        "relation": row.relation,
        "purposes": sorted(row.purposes),
        "categories": sorted(row.categories),
        "fields": list(row.fields),
        "requires": demands,
        "override": override
        and {
            "ground": override.ground,
            "roles": sorted(override.roles),
            "notify_person": override.notify_person,
        },
        "obligations": list(row.obligations),
        "valid": {"from": row.valid_from, "to": row.valid_to},
        "known_from": row.known_from,
        "law": list(row.law),
        "secrecy_release": row.release.value,
        "gdpr": row.gdpr and {"art6": row.gdpr.art6, "art9": row.gdpr.art9, "art10": row.gdpr.art10},
        "legal": row.legal.value,
        "status": row.status.value,
        "approved": row.status == "approved",
        "approval": approval
        and {"by": list(approval.by), "date": approval.date, "document": approval.document},
        "digest": row.digest,
    }
