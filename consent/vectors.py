"""Understands decision vectors in a neutral notation: asks the real decision each, and compares.

A vector is some consents, one request and the answer expected. Its words become the hub's through
`vectors.yaml`; what it leaves unsaid of a form is as the row demands it. Nothing of a vector is passed
over: a request with a key that is not known here is not understood, and answers no; a consent with one
cannot be evaluated, as at the consent desk. It must not know the hub's store or messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from consent.code_lists import load_codes
from consent.decide import Ask, decide, worst
from consent.labels import label
from consent.rows import Effect, Pack, Row
from consent.said import OSLO
from consent.strict_yaml import read_yaml
from consent.texts import ApprovedText, Texts
from hub.errors import PROBLEMS, Finding, HubError
from hub.message import (
    ANY,
    Agency,
    Basis,
    Category,
    Consent,
    Decision,
    Item,
    ItemDecision,
    Leaf,
    Override,
    Purpose,
    Record,
    Sector,
    Verdict,
)

WORDS = Path(__file__).parent / "vectors.yaml"
PERMIT, DENY, PARTIAL, HOLD = "permit", "deny", "partial", "hold"
NOT_UNDERSTOOD = "not-understood"

_FINE_TEXT = "as-approved"
_FINE = Texts((ApprovedText(_FINE_TEXT, "nb", "", "", date.min, None),))
"""The text of a consent that does not say which: an approved one."""

_VECTOR_KEYS = {"id", "title", "consents", "request", "expected", "why", "note"}
_REQUEST_KEYS = {
    *("person", "sender", "recipient", "purpose", "category", "data_date", "now", "send_time", "known_at"),
    *("items", "persons", "person_links", "objections", "override", "row_status", "requests"),
    *("attempt", "replay_of", "cache"),  # of the sending, which asks anew each time; no decision sees them
}
_ITEM_KEYS = {"id", "person", "persons", "category", "categories", "free_text", "data_date"}
_CONSENT_KEYS = {
    *("id", "version", "status", "decision", "person", "recorded", "valid_from", "valid_to", "sender"),
    *("recipient", "purpose", "category", "data_period", "signed", "exceptions", "withdrawn", "replaces"),
    *("text_version", "explained", "form", "grantor", "recorder", "setting", "language", "interpreter"),
    *("under_sentence", "kind", "note"),
}
_EXCEPTION_KEYS = {
    *("decision", "type", "sender", "recipient", "purpose", "category", "from", "to", "valid_from"),
    *("valid_to", "data_period", "exceptions"),
}
_OBJECTION_KEYS = {"id", "scope", "recorded", "sender", "recipient", "purpose", "withdrawn", "person", "note"}
_OVERRIDE_KEYS = {"by", "second", "role", "law", "ground", "reason", "notify_person", "signed", "note"}
_LINK_KEYS = {"confirmed", "status", "linked", "split", "source", "note"}  # and two that name the identifiers
_EXPECTED_KEYS = {
    *("decision", "reason", "consent", "alarm", "retry", "route", "released", "removed"),
    *("row", "stop", "after", "note"),  # said for the reader: rows have our own names
}
_NO_DATE = datetime(1900, 1, 1)  # noqa: DTZ001  no time zone is how the decision hears "nobody knows when"
_DEAD = {"inactive", "superseded", "rejected", "entered-in-error", "not-done"}
_DRAFT = {"draft", "proposed"}

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Vector:
    """One vector as it stands in the file."""

    id: str
    title: str
    consents: Sequence[Any] | None
    request: Plain
    expected: Plain


@dataclass(frozen=True)
class Got:
    """What the real decision says of one vector. `reason` is a code; `faults` say what was not
    understood, and then the answer is no."""

    decision: str
    reason: str
    rows: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    released: tuple[frozenset[str], ...] = ()
    removed: tuple[frozenset[str], ...] = ()
    alarm: bool = False
    held: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """One vector compared. `differs` names what is not as expected."""

    vector: Vector
    expected: str
    got: Got
    word: str
    differs: tuple[str, ...]
    learned: bool = False
    """The file's word for the reason is none of ours; it was taken for what it first stands for."""

    @property
    def holds(self) -> bool:
        return not self.differs and not self.got.faults


@dataclass(frozen=True)
class Words:
    """The vectors' words in the hub's, and the codes of the reasons."""

    parties: Mapping[str, tuple[str, ...]]
    purposes: Mapping[str, tuple[str, ...]]
    categories: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]


def load_words(path: Path = WORDS) -> Words:
    """HubError("policy.invalid") unless every word leads to a word of the hub."""
    root = read_yaml(path.read_text("utf-8"), "policy.invalid")
    assert isinstance(root, Mapping)
    found: dict[str, dict[str, Any]] = {}
    known = {
        "parties": {sector.value for sector in Sector},
        "purposes": {purpose.value for purpose in Purpose},
        "categories": {category.value for category in Category} - {Category.UNKNOWN.value},
    }
    for name, ours in known.items():
        table = root[name]
        assert isinstance(table, Mapping)
        found[name] = {word: (word,) for word in ours}
        for word, means in table.items():
            if not isinstance(means, Sequence) or not set(map(str, means)) <= ours:
                raise HubError("policy.invalid", [Finding(f"{name}.{word}", "code", "words of the hub")])
            found[name][word] = tuple(map(str, means))
    reasons = root["reasons"]
    assert isinstance(reasons, Mapping)
    return Words(**found, reasons={word: str(code) for word, code in reasons.items()})


def read_vectors(path: Path) -> tuple[Vector, ...]:
    """The vectors of a file whose answers are those of the statutory pack. HubError("vectors.invalid")
    with every finding when it is no such file."""
    findings: list[Finding] = []
    try:
        root = json.loads(path.read_text("utf-8"), object_pairs_hook=_once)
    except (OSError, ValueError):
        raise HubError("vectors.invalid", [Finding("/", "file", "a readable JSON file")]) from None
    listed = root.get("vectors") if isinstance(root, Mapping) else None
    if not isinstance(root, Mapping) or not isinstance(listed, list) or not listed:
        raise HubError("vectors.invalid", [Finding("vectors", "shape", "a list that is not empty")])
    for key, value, expected in (("tz", "Europe/Oslo", "Europe/Oslo"), ("pack", "statutory", "statutory")):
        if root.get(key, value) != value:
            findings.append(Finding(key, "value", expected))
    for key in sorted(root.keys() - {"note", "tz", "pack", "vectors"}):
        findings.append(Finding(key, "unknown-key", "note, tz, pack, vectors"))
    for i, raw in enumerate(listed):
        findings += _vector_faults(raw, f"vectors[{i}]")
    ids = [raw.get("id") for raw in listed if isinstance(raw, Mapping)]
    if len(set(map(str, ids))) != len(ids):
        findings.append(Finding("vectors", "duplicate", "each id once"))
    if findings:
        raise HubError("vectors.invalid", findings)
    return tuple(
        Vector(str(v["id"]), str(v.get("title", "")), v["consents"], v["request"], v["expected"])
        for v in listed
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _vector_faults(raw: Any, at: str) -> Iterator[Finding]:
    if not isinstance(raw, Mapping):
        yield Finding(at, "shape", "a mapping")
        return
    for key in sorted(raw.keys() - _VECTOR_KEYS):
        yield Finding(f"{at}.{key}", "unknown-key", ", ".join(sorted(_VECTOR_KEYS)))
    for key in ("id", "request", "expected", "consents"):
        if key not in raw:
            yield Finding(f"{at}.{key}", "missing", "this key")
    for key in ("request", "expected"):
        if not isinstance(raw.get(key, {}), Mapping):
            yield Finding(f"{at}.{key}", "shape", "a mapping")
    if not isinstance(raw.get("consents", []), list | None):
        yield Finding(f"{at}.consents", "shape", "a list, or null when the store is away")


def check(
    vectors: Iterable[Vector], pack: Pack, texts: Texts, words: Words, *, strict: bool
) -> tuple[Result, ...]:
    """Every vector answered and compared. `strict` turns what is expected into the strict pack's
    answer: substance use never goes on a row or an override alone."""
    known = Texts((*_FINE.known, *texts.known))
    learned = {code: word for word, code in words.reasons.items()}
    results = []
    for vector in vectors:
        got = answer(vector, pack, known, words)
        decision, reason = vector.expected.get("decision"), vector.expected.get("reason")
        turned = strict and decision == PERMIT and _needs_consent(vector, words)
        expected = DENY if turned else str(decision)
        fresh = reason is not None and reason not in learned.values() and not turned and not got.faults
        if fresh:
            learned.setdefault(got.reason, str(reason))
        word = learned.get(got.reason, got.reason)
        differs = tuple(_differences(vector.expected, expected, got, turned=turned))
        if not turned and reason is not None and word != reason:
            differs += ("reason",)
        results.append(Result(vector, expected, got, word, differs, fresh and word == reason))
    return tuple(results)


def _needs_consent(vector: Vector, words: Words) -> bool:
    ours = words.reasons.get(str(vector.expected.get("reason")))
    return ours != "decide.consent" and _tells_of_substance(vector, words)


def _tells_of_substance(vector: Vector, words: Words) -> bool:
    said = [vector.request.get("category"), *(_list(vector.request.get("items")))]
    flat = [item.get("category") if isinstance(item, Mapping) else item for item in said]
    return any("substance_use" in words.categories.get(str(word), ()) for word in flat)


def _differences(expected: Plain, decision: str, got: Got, *, turned: bool) -> Iterator[str]:
    for key in sorted(expected.keys() - _EXPECTED_KEYS):
        yield f"expected.{key} is not understood"
    if decision not in {PERMIT, DENY, PARTIAL, HOLD}:
        yield "expected.decision is not understood"
    elif decision != got.decision and not (decision == HOLD and got.held and got.decision == DENY):
        yield "decision"
    if turned:
        return
    if "consent" in expected and expected["consent"] not in got.consents:
        yield "consent"
    if expected.get("alarm", got.alarm) != got.alarm:
        yield "alarm"
    if expected.get("retry") is True and not (got.reason in PROBLEMS and PROBLEMS[got.reason].waiting_helps):
        yield "retry"
    if expected.get("route") == "manual_review" and not got.held:
        yield "route"
    for name, found in (("released", got.released), ("removed", got.removed)):
        if name in expected and frozenset(map(str, _list(expected[name]))) not in found:
            yield name


def answer(vector: Vector, pack: Pack, texts: Texts, words: Words) -> Got:
    """What the real decision says. What is not understood is not permitted."""
    reading = _Reading(vector, pack, words)
    try:
        return reading.answer(texts)
    except _NotUnderstood as fault:
        return Got(DENY, NOT_UNDERSTOOD, faults=(str(fault),))
    except (AttributeError, LookupError, TypeError, ValueError):
        # A word where a list belongs, or the other way round: one such vector must not end the run.
        return Got(DENY, NOT_UNDERSTOOD, faults=("a value of another shape",))


class _NotUnderstood(Exception):
    """Where in the vector, without its value."""


@dataclass(frozen=True)
class _Thing:
    """One item of a request: how the file calls it, whose it is, when it is from."""

    item: Item
    word: str
    person: str
    data_date: date | None


@dataclass
class _Reading:
    """One vector being turned into questions."""

    vector: Vector
    pack: Pack
    words: Words

    def answer(self, texts: Texts) -> Got:
        request = self.vector.request
        _only(request, _REQUEST_KEYS, "request")
        self.at = _moment(request["send_time"] if "send_time" in request else request.get("now"))
        self.known_at = _moment(request["known_at"]) if "known_at" in request else self.at
        self.sender, self.recipient = self._agency("sender"), self._agency("recipient")
        self.purpose = self._purpose()
        self.person = request.get("person")
        self.rows = self._rows()
        self.links = self._links(request.get("person_links"))
        things = list(self._things())
        decided = [(thing, *self._decide(thing, texts)) for thing in things]
        first = decided[0][1]
        by_objection = first.reason == "decide.objection" or self._objected(first)
        reduced = "items" not in request and by_objection and self._more_goes(things[0], texts)
        return self._sum_up(decided, reduced=reduced)

    def _sum_up(
        self, decided: Sequence[tuple[_Thing, ItemDecision, Decision]], *, reduced: bool = False
    ) -> Got:
        verdicts = [verdict for _, verdict, _ in decided]
        out = [(thing, verdict) for thing, verdict, _ in decided if verdict.verdict is Verdict.PERMIT]
        kept = [(thing, verdict) for thing, verdict, _ in decided if verdict.verdict is not Verdict.PERMIT]
        reason = worst(v.reason for v in verdicts)
        if any(self._objected(verdict) for verdict in verdicts):
            reason = "decide.objection"  # also where the strict pack asks for a consent instead
        decision = PARTIAL if reduced or (out and kept) else PERMIT if out else DENY
        if out and kept and reason != "decide.objection":
            several = len({thing.person for thing, _, _ in decided}) > 1
            reason = "per-item" if several else "reduced"
        return Got(
            decision,
            reason,
            rows=tuple(sorted({v.row for v in verdicts if v.row})),
            consents=tuple(sorted({ref for v in verdicts for ref in v.consents})),
            released=_names(thing for thing, _ in out),
            removed=_names(thing for thing, _ in kept),
            alarm=any(whole.alarms for _, _, whole in decided),
            held=any(v.verdict is Verdict.HOLD for v in verdicts),
        )

    def _objected(self, verdict: ItemDecision) -> bool:
        by = [ref for ref in verdict.consents if ref.startswith("objection")]
        return verdict.verdict is Verdict.DENY and bool(by) and verdict.reason != "decide.override-refused"

    def _more_goes(self, asked: _Thing, texts: Texts) -> bool:
        """Whether the rest of the message still goes: a request without items stands for a message
        that holds whatever the objection model lets go on this way."""
        rest = {
            category
            for row in self.rows
            if row.effect is Effect.MAY_UNLESS_OBJECTION
            for category in row.categories - asked.item.categories
        }
        others = [replace(asked, item=Item(c.value, frozenset({c}), frozenset({c}))) for c in sorted(rest)]
        return any(self._decide(thing, texts)[0].verdict is Verdict.PERMIT for thing in others)

    def _decide(self, thing: _Thing, texts: Texts) -> tuple[ItemDecision, Decision]:
        if self.sender is None or self.recipient is None or self.purpose is None:
            unknown = ItemDecision(thing.item.path, Verdict.HOLD, "decide.unknown-category")
            return unknown, Decision((unknown,), self.at)
        ask = Ask(
            sender=self.sender,
            recipient=self.recipient,
            purpose=self.purpose,
            basis=Basis.CONSENT,
            agreement="vector",
            items=(thing.item,),
            protected_address=False,
            data_date=thing.data_date,
            override=self._override(),
            requests=frozenset(map(str, _list(self.vector.request.get("requests")))),
        )
        consents = None if self.vector.consents is None else list(self._consents(thing.person))
        whole = decide(ask, self.rows, consents, at=self.at, known_at=self.known_at, texts=texts)
        return whole.items[0], whole

    # -- the request ------------------------------------------------------------------------------

    def _agency(self, key: str) -> Agency | None:
        means = self.words.parties.get(str(self.vector.request.get(key)))
        if means is None:
            return None
        return Agency({"sender": "900000001", "recipient": "900000002"}[key], key, Sector(means[0]))

    def _purpose(self) -> Purpose | None:
        means = self.words.purposes.get(str(self.vector.request.get("purpose")))
        return Purpose(means[0]) if means else None

    def _rows(self) -> tuple[Row, ...]:
        """The pack's rows for the pair; none when the request says that they are not approved."""
        if self.sender is None or self.recipient is None or self.purpose is None:
            return ()
        rows = self.pack.between(self.sender.sector, self.recipient.sector, self.purpose)
        approved = str(self.vector.request.get("row_status", "approved")).lower() == "approved"
        return rows if approved else tuple(row for row in rows if row.effect is Effect.PROHIBIT)

    def _things(self) -> Iterator[_Thing]:
        request = self.vector.request
        items = request.get("items", [{}])
        if not isinstance(items, list) or not items:
            raise _NotUnderstood("request.items")
        everybody = [str(person) for person in _list(request.get("persons"))]
        for i, raw in enumerate(items):
            at = f"request.items[{i}]"
            if not isinstance(raw, Mapping):
                raise _NotUnderstood(at)
            _only(raw, _ITEM_KEYS, at)
            named = [str(person) for person in _list(raw.get("person"))]
            own = [str(person) for person in _list(raw.get("persons"))] or (named if len(named) > 1 else [])
            if not own and "person" not in raw:
                own = everybody
            first = named[0] if len(named) == 1 else None
            first = first or (str(self.person) if not own or str(self.person) in own else own[0])
            others = frozenset(person for person in own if person not in self._same(first))
            word = raw.get("category", raw.get("categories", request.get("category")))
            data = raw.get("data_date", request.get("data_date"))
            yield _Thing(
                self._item(f"item{i}", word, raw.get("free_text"), others),
                "+".join(map(str, _list(word))),
                first,
                None if data in (None, "unknown") else _day(data),
            )

    def _item(self, path: str, word: Any, text: Any, persons: frozenset[str]) -> Item:
        declared: set[Category] = set()
        for one in _list(word) or [None]:
            means = self.words.categories.get(str(one))
            declared |= {Category(c) for c in means} if means else {Category.UNKNOWN}
        labels = frozenset(declared)
        if text is None:
            return Item(path, labels, labels, persons=persons)
        record = Record("vector", {path: str(text)})
        (found,) = label(record, (Leaf(path, str(text), labels, free_text=True),), load_codes()).items
        return replace(found, persons=persons)

    def _override(self) -> Override | None:
        """A vector names the professional who answers for it. The second person is the hub's own rule;
        the desk sees to it, and a vector that speaks of one (`second`, or several in `by`) is believed."""
        raw = self.vector.request.get("override")
        if raw is None:
            return None
        if not isinstance(raw, Mapping):
            raise _NotUnderstood("request.override")
        _only(raw, _OVERRIDE_KEYS, "request.override")
        by = [str(person) for person in _list(raw.get("by"))]
        if "second" in raw:
            by += [str(person) for person in _list(raw["second"])]
        elif len(by) == 1 and not isinstance(raw["by"], list):
            by.append("the desk's second person")
        role = raw.get("role") or ("health_personnel" if by and by[0].startswith("HPR:") else "")
        stated = [raw[key] for key in ("reason", "ground", "law") if key in raw]
        if raw.get("signed", True) is not True:
            by = []  # nobody answers for it
        return Override(str(stated[0] or "") if stated else "", str(role), tuple(by))

    # -- persons ----------------------------------------------------------------------------------

    def _links(self, raw: Any) -> list[tuple[frozenset[str], bool]]:
        """Pairs of identifiers that belong to one person, and whether that is certain now. A link that
        is not confirmed, or was undone, carries refusals only."""
        found = []
        for i, link in enumerate(_list(raw)):
            at = f"request.person_links[{i}]"
            if isinstance(link, str):
                found.append((frozenset({link, str(self.person)}), True))
            elif isinstance(link, list) and len(link) == 2 and all(isinstance(one, str) for one in link):
                found.append((frozenset(link), True))
            elif isinstance(link, Mapping):
                pair = frozenset(link[key] for key in link.keys() - _LINK_KEYS)
                if len(pair) != 2 or not all(isinstance(one, str) for one in pair):
                    raise _NotUnderstood(at)
                begun = link.get("linked") is None or _moment(link["linked"]) <= self.at
                undone = link.get("split") is not None and _moment(link["split"]) <= self.at
                certain = self._confirmed(link) and begun and not undone
                found.append((pair, certain))
            else:
                raise _NotUnderstood(at)
        return found

    def _confirmed(self, link: Plain) -> bool:
        """Whether the link is confirmed by now: said as yes or no, as a status, or as since when."""
        said = link.get("confirmed", True)
        sure = _moment(said) <= self.at if isinstance(said, str) else said is True
        return sure and link.get("status", "confirmed") == "confirmed"

    def _same(self, person: str, *, certain: bool = True) -> set[str]:
        """Every identifier of the person, by links that are certain or by any."""
        same, grown = {person}, True
        while grown:
            more = {one for pair, sure in self.links if (sure or not certain) and pair & same for one in pair}
            grown = not more <= same
            same |= more
        return same

    # -- the consents -----------------------------------------------------------------------------

    def _consents(self, subject: str) -> Iterator[Consent]:
        certain, perhaps = self._same(subject), self._same(subject, certain=False)
        for i, raw in enumerate(self.vector.consents or ()):
            consent = self._consent(raw, f"consents[{i}]", f"C?{i}")
            yield from self._placed(consent, certain, perhaps)
        for i, raw in enumerate(_list(self.vector.request.get("objections"))):
            yield from self._placed(self._objection(raw, i, subject), certain, perhaps)

    def _placed(self, consent: Consent | None, certain: set[str], perhaps: set[str]) -> Iterator[Consent]:
        if consent is None:
            return
        if consent.person in certain or not consent.person:
            yield replace(consent, person="")
        elif consent.person in perhaps:
            if not consent.permits or not consent.readable:
                yield replace(consent, person="")
        else:
            for one in sorted(self._same(consent.person)):
                yield replace(consent, person=one)

    def _consent(self, raw: Any, at: str, name: str) -> Consent | None:
        """The document, one that cannot be evaluated, or None for a refusal that is only a draft."""
        if not isinstance(raw, Mapping):
            return _unreadable(name, "")
        person = str(raw.get("person") or "")
        try:
            return self._document(raw, at)
        except (_NotUnderstood, KeyError, TypeError, ValueError):
            return _unreadable(str(raw.get("id") or name), person, raw.get("version"))

    def _document(self, raw: Plain, at: str) -> Consent | None:
        _only(raw, _CONSENT_KEYS, at)
        permits = {PERMIT: True, DENY: False}[raw["decision"]]
        status, withdrawn = raw.get("status"), raw.get("withdrawn")
        if status not in {"active", *_DEAD, *_DRAFT}:
            raise _NotUnderstood(at)
        if status in _DRAFT and not permits:
            return None
        gone_at = None if withdrawn is None else _withdrawn(withdrawn, permits=permits)
        active = status == "active" or (status not in _DRAFT and gone_at is not None) or not permits
        exceptions = () if status in _DRAFT else self._exceptions(raw, permits, f"{at}.exceptions")
        recorded = raw.get("recorded")
        grantor = str(raw.get("grantor") or "person")
        return Consent(
            id=str(raw["id"]),
            version=int(raw.get("version", 1)),
            permits=permits,
            recorded_at=_NO_DATE if recorded is None else _moment(recorded),
            signed=raw.get("signed") is True,
            explained=raw.get("explained", True) is True,
            form=str(raw["form"]) if "form" in raw else self._demanded("forms"),
            text_version=str(raw.get("text_version", _FINE_TEXT)),
            grantor="person" if grantor in {"patient", "self", raw.get("person")} else grantor,
            recorder=self._recorder(raw),
            kind=str(raw.get("kind", "sharing")),
            withdrawn_at=gone_at,
            replaces=raw.get("replaces"),
            exceptions=exceptions,
            person=str(raw["person"]),
            setting=str(raw["setting"]) if "setting" in raw else self._demanded("settings"),
            interpreter=str(raw.get("interpreter") or ""),
            language=str(raw.get("language") or ""),
            under_sentence=raw.get("under_sentence", False),
            active=active,
            **self._scope(raw),
        )

    def _exceptions(self, raw: Plain, permits: bool, at: str) -> tuple[Consent, ...]:
        return tuple(
            self._exception(e, not permits, f"{at}[{i}]") for i, e in enumerate(raw.get("exceptions") or ())
        )

    def _exception(self, raw: Plain, permits: bool, at: str) -> Consent:
        """An exception reverses its parent; one that says otherwise of itself cannot be evaluated."""
        _only(raw, _EXCEPTION_KEYS, at)
        for key in ("decision", "type"):
            if key in raw:
                permits = {PERMIT: True, DENY: False}[raw[key]]
        scope = self._scope({**raw, **{f"valid_{k}": raw[k] for k in ("from", "to") if k in raw}})
        inner = self._exceptions(raw, permits, f"{at}.exceptions")
        return Consent("", 0, permits, self.at, **scope, exceptions=inner)

    def _scope(self, raw: Plain) -> dict[str, Any]:
        period = raw.get("data_period")
        if isinstance(period, Mapping):
            _only(period, {"from", "to"}, "data_period")
            period = [period.get("from"), period.get("to")]
        first, last = period or (None, None)
        return {
            "valid_from": self._first(raw.get("valid_from")),
            "valid_to": self._last(raw.get("valid_to")),
            "senders": _said(raw.get("sender"), self.words.parties),
            "recipients": _said(raw.get("recipient"), self.words.parties),
            "purposes": _said(raw.get("purpose"), self.words.purposes),
            "categories": _said(raw.get("category"), self.words.categories),
            "data_from": None if first is None else _day(first),
            "data_to": None if last is None else _day(last),
        }

    def _first(self, value: Any) -> date | None:
        """A first moment as a first day that says the same at the moment asked about."""
        if value is None or _is_day(value):
            return None if value is None else _day(value)
        begins = _moment(value)
        return begins.astimezone(OSLO).date() + timedelta(days=begins > self.at)

    def _last(self, value: Any) -> date | None:
        if value is None or _is_day(value):
            return None if value is None else _day(value)
        ends = _moment(value)
        return ends.astimezone(OSLO).date() - timedelta(days=ends < self.at)

    def _objection(self, raw: Any, i: int, subject: str) -> Consent:
        at = f"request.objections[{i}]"
        if not isinstance(raw, Mapping):
            return _unreadable(f"objection{i}", subject)
        try:
            _only(raw, _OBJECTION_KEYS, at)
            recorded, gone = raw.get("recorded"), raw.get("withdrawn")
            scope = self._scope({**raw, "category": raw.get("scope")})
            return Consent(
                id=f"objection{i}",
                version=1,
                permits=False,
                recorded_at=_NO_DATE if recorded is None else _moment(recorded),
                withdrawn_at=None if gone is None else _withdrawn(gone, permits=False),
                person=str(raw.get("person") or subject),
                **scope,
            )
        except (_NotUnderstood, KeyError, TypeError, ValueError):
            return _unreadable(f"objection{i}", subject)

    def _demanded(self, what: str) -> str:
        """A form the rows accept: a vector that does not speak of it means one that is fine."""
        return min((word for row in self.rows for word in getattr(row.requires, what)), default="")

    def _recorder(self, raw: Plain) -> Sector | None:
        if "recorder" not in raw:
            demanded = self._demanded("recorders")
            return Sector(demanded) if demanded in {s.value for s in Sector} else Sector.PERSON
        means = self.words.parties.get(str(raw["recorder"]))
        return Sector(means[0]) if means else None


def _names(things: Iterable[_Thing]) -> tuple[frozenset[str], ...]:
    """How a file may call them: by their category or by their person."""
    listed = list(things)
    return frozenset(t.word for t in listed), frozenset(t.person for t in listed)


def _only(raw: Plain, known: set[str], at: str) -> None:
    if unknown := sorted(map(str, raw.keys() - known)):
        raise _NotUnderstood(", ".join(f"{at}.{key}" for key in unknown))


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _said(value: Any, table: Mapping[str, tuple[str, ...]]) -> frozenset[str] | None:
    """The hub's words; a word nobody knows stays as it is, and makes the document unreadable."""
    if value is None:
        return None
    words: set[str] = set()
    for one in _list(value):
        words.update((ANY,) if one == ANY else table.get(str(one), (str(one),)))
    return frozenset(words)


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 10


def _day(value: Any) -> date:
    if _is_day(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _NotUnderstood("a date") from None
    return _moment(value).astimezone(OSLO).date()


def _moment(value: Any) -> datetime:
    """A date is the start of the day, and a time without a zone is that of the clocks in Oslo."""
    if not isinstance(value, str):
        raise _NotUnderstood("a moment")
    try:
        if _is_day(value):
            return datetime.combine(date.fromisoformat(value), time(), OSLO).astimezone(UTC)
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _NotUnderstood("a moment") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=OSLO)).astimezone(UTC)


def _withdrawn(value: Any, *, permits: bool) -> datetime:
    """A withdrawal on a day takes a permission from its start, and a refusal from its end."""
    if _is_day(value) and not permits:
        return _moment((date.fromisoformat(value) + timedelta(days=1)).isoformat())
    return _moment(value)


def _unreadable(name: str, person: str, version: Any = 1) -> Consent:
    number = version if isinstance(version, int) and version > 0 else 1
    return Consent(
        name, number, False, _NO_DATE, None, None, None, None, None, None, readable=False, person=person
    )
