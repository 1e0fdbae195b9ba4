"""Understands which policy decides now, and how two persons change it.

The strict pack decides until two different persons, in two steps, have approved the statutory form of
a flow as it stands in the files. The steps lie in the store and are read in the transaction that
decides, so a step counts from its commit on, in every process. It decides nothing itself.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, select

from consent.rows import Approval, Pack, flow_of
from hub.audit import log
from hub.audit.log import Kind
from hub.errors import Finding, HubError
from hub.parts import Parts
from hub.store import approvals
from hub.store.approvals import TWO, Did, Step
from hub.store.disclosures import State
from hub.store.schema import disclosure

_LONGEST = 500
_made: dict[tuple[str, tuple[tuple[str, str], ...]], Pack] = {}
_MOST_MADE = 16


def in_effect(tx: Connection, parts: Parts) -> Parts:
    """The parts with the pack that decides as this transaction sees it."""
    pack = parts.pack.base or parts.pack
    return replace(parts, pack=switched(pack, approvals.steps(tx)))


def switched(pack: Pack, steps: list[Step]) -> Pack:
    """The pack after those steps. Switching takes milliseconds, so what was made is kept."""
    approved = {
        flow: Approval(
            tuple(step.by for step in said),
            max(step.at for step in said).date(),
            "; ".join(dict.fromkeys(step.document for step in said if step.document)),
            "",
            digest,
        )
        for (flow, digest), said in approvals.standing(steps).items()
        if len(said) >= TWO and flow in pack.forms and digest == pack.form_digest(flow)
    }
    if not approved:
        return pack
    key = (pack.digest, tuple(sorted((flow, repr(a)) for flow, a in approved.items())))
    if key not in _made:
        if len(_made) >= _MOST_MADE:
            _made.clear()
        _made[key] = pack.switched(approved)
    return _made[key]


def approve(parts: Parts, row: str, *, by: str, document: str, reason: str) -> int:
    """One person's yes to the statutory form of the flow that `row` belongs to. Returns how many
    persons stand behind it now; from two on it decides.

    Raises policy.no-such-flow, policy.step-refused; nothing has changed then.
    """
    pack = parts.pack.base or parts.pack
    flow = _flow(pack, row)
    findings = _unfit(by=by, document=document, reason=reason)
    if not document and any(form.needs_sign_off for form in pack.forms[flow]):
        findings.append(Finding("document", "sign-off", "the document by which a lawyer signed the row off"))
    if findings:
        raise HubError("policy.step-refused", findings)
    digest = pack.form_digest(flow)
    with parts.store.writing() as tx:
        parts.store.alone(tx, "policy")
        said = approvals.standing(approvals.steps(tx)).get((flow, digest), [])
        if any(approvals.same_person(by, step.by) for step in said):
            raise HubError("policy.step-refused", [Finding("by", "second-person", "somebody else this time")])
        _take(tx, parts, Step(flow, Did.APPROVE, digest, by, document, reason, parts.clock()))
    return len(said) + 1


def revoke(parts: Parts, row: str, *, by: str, reason: str) -> bool:
    """Back to the strict form, at once: when this returns, nothing more goes under the approval, not
    even what was on its way to a recipient. False when it decided nothing yet.

    Raises policy.no-such-flow, policy.step-refused; nothing has changed then.
    """
    pack = parts.pack.base or parts.pack
    flow = flow_of(row)
    if findings := _unfit(by=by, document="", reason=reason):
        raise HubError("policy.step-refused", findings)
    with parts.store.writing() as tx:
        parts.store.alone(tx, "policy")
        before = approvals.steps(tx)
        said = {key: steps for key, steps in approvals.standing(before).items() if key[0] == flow}
        if not said:
            # A flow that has gone from the files can still be taken back; one nobody approved cannot.
            _flow(pack, row)
            raise HubError(
                "policy.step-refused", [Finding("row", "approved", "a row that somebody approved")]
            )
        digest = pack.form_digest(flow) if flow in pack.forms else next(iter(said))[1]
        _take(tx, parts, Step(flow, Did.REVOKE, digest, by, "", reason, parts.clock()))
    # Dying here: it is taken back. Only what was being sent at that moment was not waited for.
    _wait_for_what_is_under_way(parts)
    return any(len(steps) >= TWO for steps in said.values())


def _wait_for_what_is_under_way(parts: Parts) -> None:
    """What was decided before our commit ends before we return: pass through the gate of everybody
    about whom something is being handed over."""
    with parts.store.reading() as view:
        waiting = select(disclosure.c.person_id).where(disclosure.c.state.in_((State.QUEUED, State.OFFERED)))
        persons = list(view.scalars(waiting.distinct()))
    for person in persons:
        with parts.store.gate(person):
            pass


def _flow(pack: Pack, row: str) -> str:
    flow = flow_of(row)
    if flow not in pack.forms:
        raise HubError("policy.no-such-flow", [Finding("row", "unknown", "a flow, as bro policy list shows")])
    return flow


def _unfit(*, by: str, document: str, reason: str) -> list[Finding]:
    findings = [
        Finding(at=name, rule="text", expected=f"at most {_LONGEST} printable characters")
        for name, text in (("by", by), ("document", document), ("reason", reason))
        if len(text) > _LONGEST or not text.isprintable() or text != text.strip()
    ]
    if not by.strip():
        findings.append(Finding("by", "text", "the name of who does it"))
    if not document and not reason:
        findings.append(Finding("document", "text", "a document or a reason"))
    return findings


def _take(tx: Connection, parts: Parts, step: Step) -> None:
    """The step and its audit leaf, together."""
    approvals.add(tx, step)
    what = {
        "flow": step.flow,
        "did": step.did.value,
        "rows": step.digest,
        "by": step.by,
        "document": step.document,
        "reason": step.reason,
    }
    log.append(tx, parts.vault, log.nobody(parts.vault), Kind.POLICY, step.at, what)
