"""Understands how one vector becomes questions, and what the real decision answers.

What it leaves unsaid of a form is as the row demands it. Nothing of a vector is passed over: a request
with a key that is not known here is not understood, and answers no; a consent with one cannot be
evaluated, as at the consent desk. It must not know what was expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from consent.code_lists import load_codes
from consent.decide import Ask, decide, worst
from consent.labels import label
from consent.rows import Effect, Pack, Relation, Row
from consent.said import OSLO
from consent.texts import ApprovedText, Texts
from consent.vector_files import (
    NotUnderstood,
    Plain,
    Vector,
    Words,
    as_list,
    day_of,
    in_our_words,
    is_day,
    moment_of,
    only_known,
    withdrawn_at,
)
from hub.message import (
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

PERMIT, DENY, PARTIAL, HOLD = "permit", "deny", "partial", "hold"
NOT_UNDERSTOOD = "not-understood"

_FINE_TEXT = "as-approved"
FINE = Texts((ApprovedText(_FINE_TEXT, "nb", "", "", date.min, None),))
"""The text of a consent that does not say which: an approved one."""

_REQUEST_KEYS = {
    *("person", "sender", "recipient", "purpose", "category", "data_date", "now", "send_time", "known_at"),
    *("items", "persons", "person_links", "objections", "override", "row_status", "requests", "relations"),
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
_NO_DATE = datetime(1900, 1, 1)  # noqa: DTZ001  no time zone is how the decision hears "nobody knows when"
_DEAD = {"inactive", "superseded", "rejected", "entered-in-error", "not-done"}
_DRAFT = {"draft", "proposed"}


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


def answer(vector: Vector, pack: Pack, texts: Texts, words: Words) -> Got:
    """What the real decision says. What is not understood is not permitted."""
    reading = _Reading(vector, pack, words)
    try:
        return reading.answer(texts)
    except NotUnderstood as fault:
        return Got(DENY, NOT_UNDERSTOOD, faults=(str(fault),))
    except (AttributeError, LookupError, TypeError, ValueError):
        # A word where a list belongs, or the other way round: one such vector must not end the run.
        return Got(DENY, NOT_UNDERSTOOD, faults=("a value of another shape",))


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
        only_known(request, _REQUEST_KEYS, "request")
        self.at = moment_of(request["send_time"] if "send_time" in request else request.get("now"))
        self.known_at = moment_of(request["known_at"]) if "known_at" in request else self.at
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
            relations=self._relations(),
            requests={str(row): ("on file",) for row in as_list(self.vector.request.get("requests"))},
        )
        consents = None if self.vector.consents is None else list(self._consents(thing.person))
        whole = decide(ask, self.rows, consents, at=self.at, known_at=self.known_at, texts=texts)
        return whole.items[0], whole

    def _relations(self) -> frozenset[Relation]:
        """What the recipient is to the person: where a request does not say, what the rows demand."""
        said = self.vector.request.get("relations", [relation.value for relation in Relation])
        return frozenset(map(Relation, as_list(said)))

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
            raise NotUnderstood("request.items")
        everybody = [str(person) for person in as_list(request.get("persons"))]
        for i, raw in enumerate(items):
            at = f"request.items[{i}]"
            if not isinstance(raw, Mapping):
                raise NotUnderstood(at)
            only_known(raw, _ITEM_KEYS, at)
            named = [str(person) for person in as_list(raw.get("person"))]
            own = [str(person) for person in as_list(raw.get("persons"))] or (named if len(named) > 1 else [])
            if not own and "person" not in raw:
                own = everybody
            first = named[0] if len(named) == 1 else None
            first = first or (str(self.person) if not own or str(self.person) in own else own[0])
            others = frozenset(person for person in own if person not in self._same(first))
            word = raw.get("category", raw.get("categories", request.get("category")))
            data = raw.get("data_date", request.get("data_date"))
            yield _Thing(
                self._item(f"item{i}", word, raw.get("free_text"), others),
                "+".join(map(str, as_list(word))),
                first,
                None if data in (None, "unknown") else day_of(data),
            )

    def _item(self, path: str, word: Any, text: Any, persons: frozenset[str]) -> Item:
        declared: set[Category] = set()
        for one in as_list(word) or [None]:
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
            raise NotUnderstood("request.override")
        only_known(raw, _OVERRIDE_KEYS, "request.override")
        by = [str(person) for person in as_list(raw.get("by"))]
        if "second" in raw:
            by += [str(person) for person in as_list(raw["second"])]
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
        for i, link in enumerate(as_list(raw)):
            at = f"request.person_links[{i}]"
            if isinstance(link, str):
                found.append((frozenset({link, str(self.person)}), True))
            elif isinstance(link, list) and len(link) == 2 and all(isinstance(one, str) for one in link):
                found.append((frozenset(link), True))
            elif isinstance(link, Mapping):
                pair = frozenset(link[key] for key in link.keys() - _LINK_KEYS)
                if len(pair) != 2 or not all(isinstance(one, str) for one in pair):
                    raise NotUnderstood(at)
                begun = link.get("linked") is None or moment_of(link["linked"]) <= self.at
                undone = link.get("split") is not None and moment_of(link["split"]) <= self.at
                certain = self._confirmed(link) and begun and not undone
                found.append((pair, certain))
            else:
                raise NotUnderstood(at)
        return found

    def _confirmed(self, link: Plain) -> bool:
        """Whether the link is confirmed by now: said as yes or no, as a status, or as since when."""
        said = link.get("confirmed", True)
        sure = moment_of(said) <= self.at if isinstance(said, str) else said is True
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
        for i, raw in enumerate(as_list(self.vector.request.get("objections"))):
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
        except (NotUnderstood, KeyError, TypeError, ValueError):
            return _unreadable(str(raw.get("id") or name), person, raw.get("version"))

    def _document(self, raw: Plain, at: str) -> Consent | None:
        only_known(raw, _CONSENT_KEYS, at)
        permits = {PERMIT: True, DENY: False}[raw["decision"]]
        status, withdrawn = raw.get("status"), raw.get("withdrawn")
        if status not in {"active", *_DEAD, *_DRAFT}:
            raise NotUnderstood(at)
        if status in _DRAFT and not permits:
            return None
        gone_at = None if withdrawn is None else withdrawn_at(withdrawn, permits=permits)
        active = status == "active" or (status not in _DRAFT and gone_at is not None) or not permits
        exceptions = () if status in _DRAFT else self._exceptions(raw, permits, f"{at}.exceptions")
        recorded = raw.get("recorded")
        grantor = str(raw.get("grantor") or "person")
        return Consent(
            id=str(raw["id"]),
            version=int(raw.get("version", 1)),
            permits=permits,
            recorded_at=_NO_DATE if recorded is None else moment_of(recorded),
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
        only_known(raw, _EXCEPTION_KEYS, at)
        for key in ("decision", "type"):
            if key in raw:
                permits = {PERMIT: True, DENY: False}[raw[key]]
        scope = self._scope({**raw, **{f"valid_{k}": raw[k] for k in ("from", "to") if k in raw}})
        inner = self._exceptions(raw, permits, f"{at}.exceptions")
        return Consent("", 0, permits, self.at, **scope, exceptions=inner)

    def _scope(self, raw: Plain) -> dict[str, Any]:
        period = raw.get("data_period")
        if isinstance(period, Mapping):
            only_known(period, {"from", "to"}, "data_period")
            period = [period.get("from"), period.get("to")]
        first, last = period or (None, None)
        return {
            "valid_from": self._first(raw.get("valid_from")),
            "valid_to": self._last(raw.get("valid_to")),
            "senders": in_our_words(raw.get("sender"), self.words.parties),
            "recipients": in_our_words(raw.get("recipient"), self.words.parties),
            "purposes": in_our_words(raw.get("purpose"), self.words.purposes),
            "categories": in_our_words(raw.get("category"), self.words.categories),
            "data_from": None if first is None else day_of(first),
            "data_to": None if last is None else day_of(last),
        }

    def _first(self, value: Any) -> date | None:
        """A first moment as a first day that says the same at the moment asked about."""
        if value is None or is_day(value):
            return None if value is None else day_of(value)
        begins = moment_of(value)
        return begins.astimezone(OSLO).date() + timedelta(days=begins > self.at)

    def _last(self, value: Any) -> date | None:
        if value is None or is_day(value):
            return None if value is None else day_of(value)
        ends = moment_of(value)
        return ends.astimezone(OSLO).date() - timedelta(days=ends < self.at)

    def _objection(self, raw: Any, i: int, subject: str) -> Consent:
        at = f"request.objections[{i}]"
        if not isinstance(raw, Mapping):
            return _unreadable(f"objection{i}", subject)
        try:
            only_known(raw, _OBJECTION_KEYS, at)
            recorded, gone = raw.get("recorded"), raw.get("withdrawn")
            scope = self._scope({**raw, "category": raw.get("scope")})
            return Consent(
                id=f"objection{i}",
                version=1,
                permits=False,
                recorded_at=_NO_DATE if recorded is None else moment_of(recorded),
                withdrawn_at=None if gone is None else withdrawn_at(gone, permits=False),
                person=str(raw.get("person") or subject),
                **scope,
            )
        except (NotUnderstood, KeyError, TypeError, ValueError):
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


def _unreadable(name: str, person: str, version: Any = 1) -> Consent:
    number = version if isinstance(version, int) and version > 0 else 1
    return Consent(
        name, number, False, _NO_DATE, None, None, None, None, None, None, readable=False, person=person
    )
