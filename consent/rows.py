"""Understands policy rows: which law lets which category go between which sectors for which purpose.

A row is data that lawyers review. It must not know persons, consents or messages. A pack that is not
perfectly clear (a typo, a row without law or approval, two rows that could both answer) is refused
whole, at start: half a policy is worse than none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

from consent.strict_yaml import Code, Plain, Reader, read_yaml
from hub.errors import Finding, HubError
from hub.message import ANY, Category, Purpose, Sector

POLICY = Path(__file__).parent / "policy"


class Effect(StrEnum):
    """What a row does. DUTY_ON_REQUEST needs a request on file, so it never acts by itself."""

    PROHIBIT = "PROHIBIT"
    DUTY = "DUTY"
    DUTY_ON_REQUEST = "DUTY_ON_REQUEST"
    MAY_UNLESS_OBJECTION = "MAY_UNLESS_OBJECTION"
    CONSENT = "CONSENT"


class Status(StrEnum):
    """How far the review of a row has come. A draft is checked but does not decide."""

    DRAFT = "draft"
    DEMO = "demo"  # decides, but no agency's lawyer has approved it
    APPROVED = "approved"


@dataclass(frozen=True)
class Requires:
    """What a consent must be before it counts. An empty set asks nothing."""

    signed: bool = False
    explained: bool = False
    forms: frozenset[str] = frozenset()
    grantors: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    approved_text: bool = False
    recorders: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    not_under_sentence: bool = False


@dataclass(frozen=True)
class OverrideRule:
    """When an objection may be set aside, by whom, and whether the person is told."""

    ground: str
    roles: frozenset[str]
    notify_person: bool


@dataclass(frozen=True)
class Approval:
    """Who answers for a row, since when, and where that is written."""

    by: tuple[str, ...]
    date: date
    document: str


@dataclass(frozen=True)
class Row:
    """One version of one rule. `valid_to` None is open; days are inclusive, Europe/Oslo."""

    id: str
    version: int
    valid_from: date
    valid_to: date | None
    known_from: date
    effect: Effect
    senders: frozenset[Sector]
    recipients: frozenset[Sector]
    purposes: frozenset[Purpose]
    categories: frozenset[Category]
    fields: tuple[str, ...] = (ANY,)
    requires: Requires = Requires()
    wait_days: int = 0
    notify_withdrawal: bool = False
    law: tuple[str, ...] = ()
    status: Status = Status.DRAFT
    approval: Approval | None = None
    override: OverrideRule | None = None
    obligations: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        return f"{self.id}/{self.version}"

    def covers_field(self, path: str) -> bool:
        """Whether the row reaches an index-free path: the field itself or a group around it."""
        return any(f == ANY or path == f or path.startswith(f"{f}.") for f in self.fields)

    def in_force(self, *, day: date, known: date) -> bool:
        """Whether the row was the law on `day`, as far as the hub knew on `known`."""
        if self.known_from > known or self.valid_from > day:
            return False
        return self.valid_to is None or day <= self.valid_to


@dataclass(frozen=True)
class Pack:
    """All deciding rows of one policy, with the hash of the files they came from."""

    name: str
    rows: tuple[Row, ...]
    digest: str
    drafts: tuple[Row, ...] = ()
    _index: Mapping[tuple[Sector, Sector, Purpose], tuple[Row, ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        index: dict[tuple[Sector, Sector, Purpose], list[Row]] = {}
        for row in self.rows:
            for sender in row.senders:
                for recipient in row.recipients:
                    for purpose in row.purposes:
                        index.setdefault((sender, recipient, purpose), []).append(row)
        object.__setattr__(self, "_index", {key: tuple(rows) for key, rows in index.items()})

    def between(self, sender: Sector, recipient: Sector, purpose: Purpose) -> tuple[Row, ...]:
        """The rows that can say anything of such a message, of every date."""
        return self._index.get((sender, recipient, purpose), ())

    def versions(self, row_id: str) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.id == row_id)

    @property
    def unapproved(self) -> tuple[str, ...]:
        """Rows that decide without an agency's approval: to be shown, and empty in production."""
        return tuple(row.ref for row in self.rows if row.status is not Status.APPROVED)


def load_pack(source: str | Path = "strict") -> Pack:
    """The pack of that name among the shipped ones, or the file. HubError("policy.invalid")."""
    path = source if isinstance(source, Path) else POLICY / f"{source}.yaml"
    return _Loading(path).pack()


_PACK_KEYS = {"pack", "extends", "without", "substance_use", "rows"}
_ROW_KEYS = {
    "id", "version", "valid", "known_from", "effect", "from", "to", "purpose", "categories", "fields",
    "requires", "wait_days", "notify_withdrawal", "law", "status", "approval",
}  # fmt: skip
_OPTIONAL = {"requires", "wait_days", "notify_withdrawal"}
_NEVER_NAMED = frozenset({Category.UNKNOWN, Category.PROTECTED_ADDRESS})
_DAY_ZERO = date(1900, 1, 1)


class _Loading:
    """One reading of one file; collects every fault before it gives up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.findings: list[Finding] = []
        self.read = Reader(self.findings)

    def pack(self) -> Pack:
        body, root = self._file()
        root = self.read.mapping(root, "", _PACK_KEYS, {"extends", "without"})
        name = self.read.text(root, "", "pack")
        rows = [self._row(raw, f"rows[{i}]") for i, raw in enumerate(self.read.list(root, "", "rows"))]
        base: tuple[Row, ...] = ()
        digest = hashlib.sha256(body)
        if "extends" in root:
            parent = _Loading(self.path.parent / f"{self.read.text(root, '', 'extends')}.yaml").pack()
            digest.update(parent.digest.encode())
            gone = set(self.read.texts(root, "", "without")) | {row.id for row in rows}
            for row_id in sorted(gone - {row.id for row in (*parent.rows, *parent.drafts, *rows)}):
                self.read.fault(f"without.{row_id}", "unknown-row", "the id of a row of the extended pack")
            base = tuple(row for row in (*parent.rows, *parent.drafts) if row.id not in gone)
        everything = (*base, *rows)
        if not everything:
            self.read.fault("rows", "empty", "at least one row")
        if not self.findings:
            self._overlaps(everything)
            self._substance_rule(self.read.text(root, "", "substance_use"), everything)
        if self.findings:
            raise HubError("policy.invalid", self.findings)
        deciding = tuple(row for row in everything if row.status is not Status.DRAFT)
        drafts = tuple(row for row in everything if row.status is Status.DRAFT)
        return Pack(name, deciding, digest.hexdigest(), drafts)

    def _file(self) -> tuple[bytes, Mapping[str, Plain]]:
        try:
            body = self.path.read_bytes()
            root = read_yaml(body.decode("utf-8"), "policy.invalid")
        except (OSError, UnicodeDecodeError):
            raise HubError("policy.invalid", [Finding("/", "file", "a readable UTF-8 file")]) from None
        if not isinstance(root, Mapping):
            raise HubError("policy.invalid", [Finding("/", "shape", "a mapping")])
        return body, root

    def _row(self, raw: Plain, at: str) -> Row:
        row = self.read.mapping(raw, at, _ROW_KEYS, _OPTIONAL)
        effect = self.read.code(Effect, row, at, "effect") or Effect.PROHIBIT
        wide = effect is Effect.PROHIBIT
        valid = self.read.mapping(row.get("valid"), f"{at}.valid", {"from", "to"})
        built = Row(
            id=self.read.text(row, at, "id"),
            version=self.read.count(row, at, "version"),
            valid_from=self._start(valid, f"{at}.valid", "from"),
            valid_to=self.read.day(valid, f"{at}.valid", "to"),
            known_from=self._start(row, at, "known_from"),
            effect=effect,
            senders=self._sectors(row.get("from"), f"{at}.from", wide),
            recipients=self._sectors(row.get("to"), f"{at}.to", wide),
            purposes=self._codes(Purpose, row, at, "purpose", wide),
            categories=self._codes(Category, row, at, "categories", wide),
            fields=self.read.texts(row, at, "fields"),
            requires=self._requires(row.get("requires", {}), f"{at}.requires", effect),
            wait_days=self.read.count(row, at, "wait_days") if "wait_days" in row else 0,
            notify_withdrawal=self.read.flag(row, at, "notify_withdrawal"),
            law=self.read.texts(row, at, "law"),
            status=self.read.code(Status, row, at, "status") or Status.DRAFT,
            approval=self._approval(row.get("approval"), f"{at}.approval"),
        )
        self._sense(built, at)
        return built

    def _sense(self, row: Row, at: str) -> None:
        if row.valid_to is not None and row.valid_to < row.valid_from:
            self.read.fault(f"{at}.valid", "period", "an end that is not before the start")
        if row.effect is not Effect.PROHIBIT and row.categories & _NEVER_NAMED:
            self.read.fault(f"{at}.categories", "protected", "neither unknown nor protected_address")
        if row.version < 1:
            self.read.fault(f"{at}.version", "range", "1 or more")

    def _requires(self, raw: Plain, at: str, effect: Effect) -> Requires:
        keys = {"signed", "explained", "forms", "grantors", "texts"}
        found = self.read.mapping(raw, at, keys, keys)
        if found and effect is not Effect.CONSENT:
            self.read.fault(at, "misplaced", "demands on a consent only in a CONSENT row")
        return Requires(
            signed=self.read.flag(found, at, "signed"),
            explained=self.read.flag(found, at, "explained"),
            forms=frozenset(self.read.texts(found, at, "forms") if "forms" in found else ()),
            grantors=frozenset(self.read.texts(found, at, "grantors") if "grantors" in found else ()),
            texts=frozenset(self.read.texts(found, at, "texts") if "texts" in found else ()),
        )

    def _approval(self, raw: Plain, at: str) -> Approval:
        found = self.read.mapping(raw, at, {"by", "date", "document"})
        day = self._start(found, at, "date")
        return Approval(self.read.texts(found, at, "by"), day, self.read.text(found, at, "document"))

    def _start(self, raw: Mapping[str, Plain], at: str, key: str) -> date:
        day = self.read.day(raw, at, key)
        if day is None and key in raw:
            self.read.fault(f"{at}.{key}", "date", "a date as 2026-07-01")
        return day or _DAY_ZERO

    def _overlaps(self, rows: Sequence[Row]) -> None:
        """Two rows that could answer the same question at the same moment are a fault. A later
        version may replace an earlier one only by being known later; a prohibition may stand beside
        anything, since it always wins."""
        for i, one in enumerate(rows):
            for other in rows[i + 1 :]:
                if one.id == other.id and one.version == other.version:
                    self.read.fault(f"{one.ref}", "duplicate", "each version of a row once")
                elif _collide(one, other):
                    self.read.fault(f"{one.ref} {other.ref}", "overlap", "one row per question and moment")

    def _substance_rule(self, rule: str, rows: Sequence[Row]) -> None:
        if rule not in {"consent_only", "by_row"}:
            self.read.fault("substance_use", "code", "consent_only or by_row")
        for row in rows:
            named = Category.SUBSTANCE_USE in row.categories
            if rule != "by_row" and named and row.effect not in {Effect.CONSENT, Effect.PROHIBIT}:
                self.read.fault(row.ref, "strict", "substance_use only under CONSENT or PROHIBIT")

    def _sectors(self, raw: Plain, at: str, wide: bool) -> frozenset[Sector]:
        return self._codes(Sector, self.read.mapping(raw, at, {"sector"}), at, "sector", wide)

    def _codes(
        self, kind: type[Code], raw: Mapping[str, Plain], at: str, key: str, wide: bool
    ) -> frozenset[Code]:
        """Codes, or all of them as `["*"]` where a prohibition must also reach what comes later."""
        if wide and raw.get(key) == [ANY]:
            return frozenset(kind)
        return self.read.codes(kind, raw, at, key)


def _collide(one: Row, other: Row) -> bool:
    if Effect.PROHIBIT in (one.effect, other.effect) or Status.DRAFT in (one.status, other.status):
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
