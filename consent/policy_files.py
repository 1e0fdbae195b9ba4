"""Understands how the files in `policy/` become a pack, and refuses what is not perfectly clear.

A typo, a row without law or approval, two rows that could both answer, a row changed after somebody
answered for it: the policy is refused whole, at start, because half a policy is worse than none. It
must not know persons, consents or messages.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

from consent.rows import (
    Approval,
    Case,
    ConsentForm,
    Effect,
    Expect,
    Form,
    Gdpr,
    Given,
    Grantor,
    Legal,
    Obligation,
    OverrideRule,
    Pack,
    Relation,
    Release,
    Requires,
    Role,
    Row,
    Status,
    sha,
)
from consent.strict_yaml import Code, Plain, Reader, read_yaml
from hub.errors import Finding, HubError
from hub.message import ANY, HEALTH_SECTORS, Category, Purpose, Sector

POLICY = Path(__file__).parent / "policy"


def load_pack(name: str = "strict", folder: Path = POLICY) -> Pack:
    """The strict or the statutory pack of the files in a folder. HubError("policy.invalid") with
    every fault of every file, whichever pack was asked for."""
    policy = _Policy(folder)
    if name not in set(Form):
        policy.read.fault("pack", "code", f"one of {', '.join(Form)}")
    if policy.findings:
        raise HubError("policy.invalid", policy.findings)
    mine = policy.form(Form(name))
    forms: dict[str, list[Row]] = {}
    for row in policy.form(Form.STATUTORY):
        forms.setdefault(row.flow, []).append(row)
    return Pack(
        name,
        tuple(row for row in mine if row.status is not Status.DRAFT),
        sha(f"{name}\n{policy.digest}"),
        tuple(row for row in mine if row.status is Status.DRAFT),
        {flow: tuple(rows) for flow, rows in forms.items()},
    )


_FILE_KEYS = {"holds", "rows"}
_ROW_KEYS = {
    "id", "version", "only", "title", "valid", "known_from", "effect", "from", "to", "purpose",
    "categories", "fields", "requires", "override", "obligations", "wait_days", "notify_withdrawal",
    "law", "secrecy_release", "gdpr", "legal", "status", "approval", "cases",
}  # a table # fmt: skip
_OPTIONAL = {"only", "requires", "override", "obligations", "wait_days", "notify_withdrawal"}
_REQUIRES_KEYS = {
    "signed", "explained", "forms", "grantors", "texts", "approved_text", "recorders", "settings",
    "not_under_sentence", "request_on_file",
}  # a table # fmt: skip
_CASE_OPTIONAL = {"at", "consent", "objection", "request", "relation"}
_CASE_KEYS = {"from", "to", "purpose", "category", "expect"} | _CASE_OPTIONAL
_NEVER_NAMED = frozenset({Category.UNKNOWN, Category.PROTECTED_ADDRESS})
_SPECIAL = frozenset({Category.SUBSTANCE_USE, Category.MENTAL_HEALTH, Category.SOMATIC_HEALTH})
_CRIMINAL = frozenset({Category.OFFENCE, Category.CONTROL})
_DAY_ZERO = date(1900, 1, 1)

_ID = re.compile(r"[KLNX][0-9]{2}[a-z]?")
_LAW = re.compile(
    r"(?:lov-\d{4}-\d{2}-\d{2}(?:-\d+)?|FOR-\d{4}-\d{2}-\d{2}-\d+) §.*\d.*"
    r"|forordning \(EU\) \d{4}/\d+ art\. \d.*"
)
_DIGEST_LENGTH = 16  # hex digits of a row's digest that its approval repeats
_ART6, _ART9 = re.compile(r"1[cde]"), re.compile(r"2[a-j]")

_INTO_CONTROL = frozenset({Purpose.SENTENCE_EXECUTION, Purpose.COURT_CONTROL})
_CONTROL_PAIRS = frozenset({(Sector.TSB, Sector.PROBATION), (Sector.PROBATION, Sector.COURT)})
"""Substance-use information is never used to punish. The narcotics programme is the one exception
(FOR-2017-10-20-1650 §§ 6, 9, 13): what TSB reports to the coordinator, and the coordinator to the
court, with the person's own signature under just that."""


class _Policy:
    """One reading of all files; collects every fault before it gives up."""

    def __init__(self, folder: Path) -> None:
        self.findings: list[Finding] = []
        self.read = Reader(self.findings)
        self.rows: list[Row] = []
        hashes = []
        files = sorted(folder.glob("*.yaml"))
        if not files:
            self.read.fault("/", "file", "policy files")
        for path in files:
            body, rows = _File(path, self.findings).rows()
            hashes.append(f"{path.name} {hashlib.sha256(body).hexdigest()}")
            self.rows += rows
        self.digest = sha("\n".join(hashes))
        if not self.findings:
            self._together()

    def form(self, form: Form) -> list[Row]:
        return [row for row in self.rows if row.only in (None, form)]

    def _together(self) -> None:
        self._once()
        self._gaps()
        self._both_forms()
        for one, other in combinations(self.rows, 2):
            # Two forms of one flow never stand side by side; of different flows any two may.
            if (one.flow != other.flow or _meet(one, other)) and _collide(one, other):
                self.read.fault(f"{one.ref} {other.ref}", "overlap", "one row per question and moment")
        for row in self.form(Form.STRICT):
            if Category.SUBSTANCE_USE in row.categories and row.effect not in _NEEDS_THE_PERSON:
                self.read.fault(row.ref, "strict", "substance_use only under CONSENT or PROHIBIT")
        for form in Form:
            self._uncovered(form)

    def _once(self) -> None:
        seen: set[str] = set()
        for row in self.rows:
            if row.ref in seen:
                self.read.fault(row.ref, "duplicate", "each version of a row once")
            seen.add(row.ref)

    def _gaps(self) -> None:
        """The versions of one row leave no day between them to which none applies."""
        by_id: dict[str, list[Row]] = {}
        for row in self.rows:
            by_id.setdefault(row.id, []).append(row)
        for versions in by_id.values():
            versions.sort(key=lambda row: row.valid_from)
            end = versions[0].valid_to
            for row in versions[1:]:
                if end is not None and row.valid_from > end + timedelta(days=1):
                    self.read.fault(row.ref, "gap", "to begin the day after the version before it ends")
                end = None if end is None or row.valid_to is None else max(end, row.valid_to)

    def _both_forms(self) -> None:
        for flow in sorted({row.flow for row in self.rows}):
            for form in Form:
                if not any(row.flow == flow for row in self.form(form)):
                    self.read.fault(flow, "one-form", f"a row that stands in the {form} pack")

    def _uncovered(self, form: Form) -> None:
        """Towards whoever is not bound by health secrecy, each category is prohibited or asked for."""
        named = {
            (category, sector)
            for row in self.form(form)
            if row.effect in _NEEDS_THE_PERSON and row.status is not Status.DRAFT
            for category in row.categories
            for sector in row.recipients
        }
        for sector in sorted(set(Sector) - HEALTH_SECTORS):
            for category in sorted(set(Category) - _NEVER_NAMED):
                if (category, sector) not in named:
                    expected = f"a PROHIBIT or CONSENT row of the {form} pack"
                    self.read.fault(f"{category} to {sector}", "uncovered", expected)


_NEEDS_THE_PERSON = frozenset({Effect.CONSENT, Effect.PROHIBIT})


class _File:
    """One reading of one file."""

    def __init__(self, path: Path, findings: list[Finding]) -> None:
        self.path = path
        self.findings = findings
        self.read = Reader(findings)

    def rows(self) -> tuple[bytes, list[Row]]:
        name = self.path.name
        try:
            body = self.path.read_bytes()
            root = read_yaml(body.decode("utf-8"), "policy.invalid")
        except (OSError, UnicodeDecodeError):
            self.read.fault(name, "file", "a readable UTF-8 file")
            return b"", []
        except HubError as refused:
            self.findings += [replace(f, at=f"{name} {f.at}") for f in refused.findings]
            return body, []
        root = self.read.mapping(root, name, _FILE_KEYS)
        raws = self.read.list(root, name, "rows")
        rows = [self._row(raw, self._place(raw, i)) for i, raw in enumerate(raws)]
        if not rows:
            self.read.fault(f"{name} rows", "empty", "at least one row")
        if list(self.read.texts(root, name, "holds")) != [row.ref for row in rows]:
            self.read.fault(f"{name} holds", "holds", "every row of the file, once, in its order")
        return body, rows

    def _place(self, raw: Plain, index: int) -> str:
        """By what a reader finds it again: its id and version, if it has them."""
        if isinstance(raw, Mapping) and isinstance(raw.get("id"), str):
            return f"{self.path.name} {raw['id']}/{raw.get('version')}"
        return f"{self.path.name} rows[{index}]"

    def _row(self, raw: Plain, at: str) -> Row:
        row = self.read.mapping(raw, at, _ROW_KEYS, _OPTIONAL)
        effect = self.read.code(Effect, row, at, "effect") or Effect.PROHIBIT
        wide = effect is Effect.PROHIBIT
        valid = self.read.mapping(row.get("valid"), f"{at}.valid", {"from", "to"})
        title = self.read.mapping(row.get("title"), f"{at}.title", {"nb", "en"})
        sender = self.read.mapping(row.get("from"), f"{at}.from", {"sector"})
        recipient = self.read.mapping(row.get("to"), f"{at}.to", {"sector", "relation"}, {"relation"})
        valid_from = self._start(valid, f"{at}.valid", "from")
        known_from = self._start(row, at, "known_from")
        built = Row(
            id=self.read.text(row, at, "id"),
            version=self.read.count(row, at, "version"),
            valid_from=valid_from,
            valid_to=self.read.day(valid, f"{at}.valid", "to"),
            known_from=known_from,
            effect=effect,
            senders=self._codes(Sector, sender, f"{at}.from", "sector", wide),
            recipients=self._codes(Sector, recipient, f"{at}.to", "sector", wide),
            purposes=self._codes(Purpose, row, at, "purpose", wide),
            categories=self._codes(Category, row, at, "categories", wide),
            fields=self.read.texts(row, at, "fields"),
            requires=self._requires(row.get("requires", {}), f"{at}.requires", effect),
            wait_days=self.read.count(row, at, "wait_days") if "wait_days" in row else 0,
            notify_withdrawal=self.read.flag(row, at, "notify_withdrawal"),
            law=self.read.texts(row, at, "law"),
            status=self.read.code(Status, row, at, "status") or Status.DRAFT,
            approval=self._approval(row.get("approval"), f"{at}.approval"),
            override=self._override(row["override"], f"{at}.override") if "override" in row else None,
            obligations=tuple(sorted(self._listed(Obligation, row, at, "obligations"))),
            nb=self.read.text(title, f"{at}.title", "nb"),
            en=self.read.text(title, f"{at}.title", "en"),
            only=self.read.code(Form, row, at, "only"),
            relation=self.read.code(Relation, recipient, f"{at}.to", "relation"),
            release=self.read.code(Release, row, at, "secrecy_release") or Release.NONE,
            gdpr=self._gdpr(row.get("gdpr"), f"{at}.gdpr"),
            legal=self.read.code(Legal, row, at, "legal") or Legal.OFF,
            cases=self._cases(row, at, max(valid_from, known_from)),
            digest=_digest(row),
        )
        for path, rule, expected in _senseless(built):
            self.read.fault(f"{at}.{path}", rule, expected)
        return built

    def _requires(self, raw: Plain, at: str, effect: Effect) -> Requires:
        found = self.read.mapping(raw, at, _REQUIRES_KEYS, _REQUIRES_KEYS)
        request = self.read.flag(found, at, "request_on_file")
        if found.keys() - {"request_on_file"} and effect is not Effect.CONSENT:
            self.read.fault(at, "misplaced", "demands on a consent only in a CONSENT row")
        if request is not (effect is Effect.DUTY_ON_REQUEST):
            self.read.fault(
                f"{at}.request_on_file", "misplaced", "true in a DUTY_ON_REQUEST row, and only there"
            )
        return Requires(
            signed=self.read.flag(found, at, "signed"),
            explained=self.read.flag(found, at, "explained"),
            forms=self._listed(ConsentForm, found, at, "forms"),
            grantors=self._listed(Grantor, found, at, "grantors"),
            texts=frozenset(self.read.texts(found, at, "texts")),
            approved_text=self.read.flag(found, at, "approved_text"),
            recorders=self._listed(Sector, found, at, "recorders"),
            settings=frozenset(self.read.texts(found, at, "settings")),
            not_under_sentence=self.read.flag(found, at, "not_under_sentence"),
            request_on_file=request,
        )

    def _override(self, raw: Plain, at: str) -> OverrideRule | None:
        found = self.read.mapping(raw, at, {"allowed", "ground", "roles", "notify_person"})
        if self.read.flag(found, at, "allowed") is not True:
            self.read.fault(f"{at}.allowed", "override", "true; a row without override leaves the key out")
        ground = self.read.text(found, at, "ground")
        if not _LAW.fullmatch(ground):
            self.read.fault(f"{at}.ground", "law", "an act and its paragraph")
        roles = self.read.codes(Role, found, at, "roles")
        return OverrideRule(ground, frozenset(map(str, roles)), self.read.flag(found, at, "notify_person"))

    def _approval(self, raw: Plain, at: str) -> Approval | None:
        if raw is None:
            return None
        found = self.read.mapping(raw, at, {"by", "role", "date", "document", "of"})
        return Approval(
            self.read.texts(found, at, "by"),
            self._start(found, at, "date"),
            self.read.text(found, at, "document"),
            self.read.text(found, at, "role"),
            self.read.text(found, at, "of"),
        )

    def _gdpr(self, raw: Plain, at: str) -> Gdpr | None:
        if raw is None:
            return None
        found = self.read.mapping(raw, at, {"art6", "art9", "art10"})
        nine = None if found.get("art9") is None else self.read.text(found, at, "art9")
        ten = None if found.get("art10") is None else self.read.text(found, at, "art10")
        gdpr = Gdpr(self.read.text(found, at, "art6"), nine, ten)
        if not _ART6.fullmatch(gdpr.art6):
            self.read.fault(f"{at}.art6", "gdpr", "1c, 1d or 1e: consent is no basis for a public task")
        if nine is not None and not _ART9.fullmatch(nine):
            self.read.fault(f"{at}.art9", "gdpr", "2a to 2j, or null")
        if ten is not None and not _LAW.fullmatch(ten):
            self.read.fault(f"{at}.art10", "gdpr", "the act and paragraph that allow it, or null")
        return gdpr

    def _cases(self, row: Mapping[str, Plain], at: str, day: date) -> tuple[Case, ...]:
        raws = self.read.list(row, at, "cases")
        if not raws:
            self.read.fault(f"{at}.cases", "cases", "at least one case")
        return tuple(self._case(raw, f"{at}.cases[{i}]", day) for i, raw in enumerate(raws))

    def _case(self, raw: Plain, at: str, day: date) -> Case:
        found = self.read.mapping(raw, at, _CASE_KEYS, _CASE_OPTIONAL)
        return Case(
            sender=self.read.code(Sector, found, at, "from") or Sector.OUTSIDE,
            recipient=self.read.code(Sector, found, at, "to") or Sector.OUTSIDE,
            purpose=self.read.code(Purpose, found, at, "purpose") or Purpose.STATISTICS,
            category=self.read.code(Category, found, at, "category") or Category.UNKNOWN,
            expect=self.read.code(Expect, found, at, "expect") or Expect.DENY,
            at=self._start(found, at, "at") if "at" in found else day,
            consent=self.read.code(Given, found, at, "consent") or Given.NONE,
            objection=self.read.flag(found, at, "objection"),
            request=self.read.flag(found, at, "request"),
            relation="relation" not in found or self.read.flag(found, at, "relation"),
        )

    def _start(self, raw: Mapping[str, Plain], at: str, key: str) -> date:
        day = self.read.day(raw, at, key)
        if day is None and key in raw:
            self.read.fault(f"{at}.{key}", "date", "a date as 2026-07-01")
        return day or _DAY_ZERO

    def _listed(self, kind: type[Code], raw: Mapping[str, Plain], at: str, key: str) -> frozenset[str]:
        return frozenset(map(str, self.read.codes(kind, raw, at, key))) if key in raw else frozenset()

    def _codes(
        self, kind: type[Code], raw: Mapping[str, Plain], at: str, key: str, wide: bool
    ) -> frozenset[Code]:
        """Codes, or all of them as `["*"]` where a prohibition must also reach what comes later. A
        permission names each: what is added later is refused until somebody names it."""
        if wide and raw.get(key) == [ANY]:
            return frozenset(kind)
        return self.read.codes(kind, raw, at, key)


def _digest(row: Mapping[str, Plain]) -> str:
    said = {key: value for key, value in row.items() if key not in {"approval", "cases"}}
    return sha(json.dumps(said, sort_keys=True, ensure_ascii=False, default=str))[:_DIGEST_LENGTH]


def _senseless(row: Row) -> Iterator[tuple[str, str, str]]:
    """What is wrong with one row by itself: where, which rule, what was expected."""
    prohibits = row.effect is Effect.PROHIBIT
    if not _ID.fullmatch(row.id):
        yield "id", "id", "a flow as L21, and a letter for a further row of it"
    if row.version < 1:
        yield "version", "range", "1 or more"
    if row.valid_to is not None and row.valid_to < row.valid_from:
        yield "valid", "period", "an end that is not before the start"
    if not prohibits and row.categories & _NEVER_NAMED:
        yield "categories", "protected", "neither unknown nor protected_address"
    if row.legal is Legal.OFF and not prohibits:
        yield "legal", "off", "OFF only in a row that prohibits"
    if any(not _LAW.fullmatch(law) for law in row.law):
        yield "law", "law", "acts as lov-1999-07-02-64 § 25, FOR-… § 1, forordning (EU) 2016/679 art. 9"
    if row.override is not None and row.effect is not Effect.MAY_UNLESS_OBJECTION:
        yield "override", "misplaced", "an override only where there can be an objection"
    if row.relation is not None and prohibits:
        yield "to.relation", "misplaced", "a relation only in a row that lets something go"
    if row.relation is None and not all(case.relation for case in row.cases):
        yield "cases", "misplaced", "relation only where the row demands one"
    yield from _answered_for(row)
    if prohibits:
        return
    if row.gdpr is None:
        yield "gdpr", "gdpr", "the basis of what is sent"
    elif row.categories & _SPECIAL and row.gdpr.art9 is None:
        yield "gdpr.art9", "gdpr", "the basis for data on health"
    elif row.categories & _CRIMINAL and row.gdpr.art10 is None:
        yield "gdpr.art10", "gdpr", "what allows data on offences"
    if Category.SUBSTANCE_USE in row.categories and row.purposes & _INTO_CONTROL:
        pairs = {(sender, recipient) for sender in row.senders for recipient in row.recipients}
        if row.effect is not Effect.CONSENT or not row.requires.signed or not pairs <= _CONTROL_PAIRS:
            yield (
                "purpose",
                "into-control",
                "substance use never serves the execution of a sentence or control",
            )


def _answered_for(row: Row) -> Iterator[tuple[str, str, str]]:
    approval = row.approval
    if approval is None:
        if row.status is not Status.DRAFT:
            yield "approval", "unapproved", "who answers for a row that decides"
    elif approval.of != row.digest:
        yield "approval.of", "changed", f"{row.digest}, once somebody answers for the row as it stands"


def _meet(one: Row, other: Row) -> bool:
    """Whether two rows can be in force together: not the strict and the statutory form of a flow."""
    return one.only is None or other.only is None or one.only is other.only


def _collide(one: Row, other: Row) -> bool:
    """Whether two rows could answer the same question at the same moment. A later version may replace
    an earlier one only by being known later; a prohibition may stand beside anything, since it
    always wins. A draft counts: it may be switched on."""
    if Effect.PROHIBIT in (one.effect, other.effect):
        return False
    if one.id == other.id and one.version != other.version:
        old, new = sorted((one, other), key=lambda row: row.version)
        return _same_days(one, other) and new.known_from <= old.known_from
    return (
        _same_days(one, other)
        and bool(one.senders & other.senders)
        and bool(one.recipients & other.recipients)
        and bool(one.purposes & other.purposes)
        and bool(one.categories & other.categories)
        and (
            any(f == ANY or one.covers_field(f) for f in other.fields)
            or any(f == ANY or other.covers_field(f) for f in one.fields)
        )
    )


def _same_days(one: Row, other: Row) -> bool:
    return one.valid_from <= (other.valid_to or date.max) and other.valid_from <= (one.valid_to or date.max)
