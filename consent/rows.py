"""Understands policy rows: which law lets which category go between which sectors for which purpose.

A row is data that lawyers review. It must not know persons, consents or messages. A flow (`L21`) has
one or more rows (`L21`, `L21a`), each in one or more versions, and two forms: what the statute allows,
and the strict form beside it where that differs. The strict forms together are the pack in force; the
form of the statute takes the place of the strict one when two persons have approved it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from hub.message import ANY, Category, Purpose, Sector


class Effect(StrEnum):
    """What a row does. DUTY_ON_REQUEST speaks only while the recipient's request is on file."""

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


class Legal(StrEnum):
    """How plainly the law says it: how much work the row leaves to the lawyer."""

    CLEAR = "CLEAR"
    LIKELY = "LIKELY"
    NLS = "NLS"  # needs legal sign-off before it is switched on
    OFF = "OFF"  # no basis found, or forbidden: the hub refuses


class Release(StrEnum):
    """What lifts the sender's duty of secrecy. Not the same as the basis under the GDPR."""

    CONSENT = "consent"
    OBJECTION_MODEL = "objection_model"
    STATUTE = "statute"
    NONE = "none"


class Form(StrEnum):
    """Which pack a row stands in, when it is not in both."""

    STRICT = "strict"
    STATUTORY = "statutory"


class Obligation(StrEnum):
    """What the recipient takes on with the information."""

    ONLY_FOR_PURPOSE = "only_for_purpose"
    NO_ONWARD_SHARING = "no_onward_sharing"
    NO_ONWARD_SHARING_OUTSIDE_HEALTH = "no_onward_sharing_outside_health"
    NOT_FOR_CONTROL = "not_for_control"
    VERIFY_BEFORE_USE = "verify_before_use"


class Role(StrEnum):
    """Who may set an objection aside."""

    HEALTH_PERSONNEL = "health_personnel"


class Relation(StrEnum):
    """What the recipient must be to the person, or the row does not speak. Unknown is not."""

    REGISTERED_GP = "registered_gp"


class ConsentForm(StrEnum):
    """How a consent was given, in the words of the consent document."""

    WRITTEN = "skriftlig"
    ELECTRONIC = "elektronisk"
    ORAL = "muntlig"


class Grantor(StrEnum):
    """Who gave a consent."""

    PERSON = "person"
    GUARDIAN = "guardian"


class Given(StrEnum):
    """The consent on file in a case: one that satisfies the row, or how it falls short."""

    NONE = "none"
    GIVEN = "given"
    UNSIGNED = "unsigned"
    UNEXPLAINED = "unexplained"
    UNAPPROVED = "unapproved"  # on a text that nobody approved
    OTHER_RECIPIENT = "other_recipient"
    OTHER_PURPOSE = "other_purpose"
    OTHER_CATEGORY = "other_category"
    WITHDRAWN = "withdrawn"


class Expect(StrEnum):
    """What a case expects of the decision."""

    PERMIT = "permit"
    DENY = "deny"


@dataclass(frozen=True)
class Case:
    """One question that a row must answer rightly; run by `consent/cases.py`."""

    sender: Sector
    recipient: Sector
    purpose: Purpose
    category: Category
    expect: Expect
    at: date
    consent: Given = Given.NONE
    objection: bool = False
    request: bool = False
    relation: bool = True
    """Whether the recipient is to the person what the row demands."""


@dataclass(frozen=True)
class Gdpr:
    """The legal basis under Regulation (EU) 2016/679: a letter of art. 6 (1), one of art. 9 (2), and
    what allows data on offences under art. 10."""

    art6: str
    art9: str | None
    art10: str | None


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
    request_on_file: bool = False


@dataclass(frozen=True)
class OverrideRule:
    """When an objection may be set aside, by whom, and whether the person is told."""

    ground: str
    roles: frozenset[str]
    notify_person: bool


@dataclass(frozen=True)
class Approval:
    """Who answers for a row, since when, and where that is written. `of` is the digest of the row
    they answered for: a row that was changed since is answered for by nobody."""

    by: tuple[str, ...]
    date: date
    document: str
    role: str = ""
    of: str = ""


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
    wait_days: int = 0  # how long what it withholds waits, sealed, for a consent or a request
    notify_withdrawal: bool = False
    law: tuple[str, ...] = ()
    status: Status = Status.DRAFT
    approval: Approval | None = None
    override: OverrideRule | None = None
    obligations: tuple[str, ...] = ()
    nb: str = ""
    en: str = ""
    only: Form | None = None
    relation: Relation | None = None
    release: Release = Release.NONE
    gdpr: Gdpr | None = None
    legal: Legal = Legal.CLEAR
    cases: tuple[Case, ...] = ()
    digest: str = ""
    """Of everything the row says but its approval and its cases."""

    @property
    def ref(self) -> str:
        return f"{self.id}/{self.version}"

    @property
    def flow(self) -> str:
        return flow_of(self.id)

    @property
    def needs_sign_off(self) -> bool:
        return self.status is Status.DRAFT or self.legal is Legal.NLS

    def covers_field(self, path: str) -> bool:
        """Whether the row reaches an index-free path: the field itself or a group around it."""
        return any(f == ANY or path == f or path.startswith(f"{f}.") for f in self.fields)

    def in_force(self, *, day: date, known: date) -> bool:
        """Whether the row was the law on `day`, as far as the hub knew on `known`."""
        if self.known_from > known or self.valid_from > day:
            return False
        return self.valid_to is None or day <= self.valid_to


def flow_of(ref: str) -> str:
    """The flow that a row id (`L21a`) or a reference to one version (`L21a/2`) belongs to."""
    return ref.partition("/")[0].rstrip("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Pack:
    """All deciding rows of one policy, with a digest of all that it rests on.

    `forms` holds what each flow becomes when its statutory form is switched on, and `base` the pack
    that this one was made of by switching.
    """

    name: str
    rows: tuple[Row, ...]
    digest: str
    drafts: tuple[Row, ...] = ()
    forms: Mapping[str, tuple[Row, ...]] = field(default_factory=dict, repr=False)
    base: Pack | None = field(default=None, repr=False)
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

    def of_flow(self, flow: str) -> tuple[Row, ...]:
        """The rows of a flow that decide, whichever form of it is in force."""
        return tuple(row for row in self.rows if row.flow == flow)

    @property
    def unapproved(self) -> tuple[str, ...]:
        """Rows that decide without an agency's approval: to be shown, and empty in production."""
        return tuple(row.ref for row in self.rows if row.status is not Status.APPROVED)

    def form_digest(self, flow: str) -> str:
        """What an approval of a flow is bound to: every version of every row of its statutory form."""
        return sha("\n".join(f"{row.ref} {row.digest}" for row in self.forms[flow]))

    def switched(self, approved: Mapping[str, Approval]) -> Pack:
        """The pack with the statutory form of the approved flows in the place of the strict one.

        An approval of something that is not what stands here now switches nothing.
        """
        base = self.base or self
        on = {
            flow: approval
            for flow, approval in approved.items()
            if flow in base.forms and approval.of == base.form_digest(flow)
        }
        if not on:
            return base
        taken = [row for flow in sorted(on) for row in base.forms[flow]]
        rows = [row for row in base.rows if row.flow not in on]
        rows += [replace(row, status=Status.APPROVED, approval=on[row.flow]) for row in taken]
        drafts = tuple(row for row in base.drafts if row.flow not in on)
        digest = sha("\n".join([base.digest, *(f"{flow} {on[flow].of}" for flow in sorted(on))]))
        return Pack(f"{base.name}+{'+'.join(sorted(on))}", tuple(rows), digest, drafts, base.forms, base)


def sha(text: str) -> str:
    """Hex SHA-256 of a text: what binds an approval to the words that were approved."""
    return hashlib.sha256(text.encode()).hexdigest()
