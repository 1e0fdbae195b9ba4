"""Every single check of the decision is needed: each is taken out in turn, and the tables notice.

A mutation is a change of the source text of `consent/decide.py` or `consent/said.py`. The oracle is what
stands in the two decision tables and our own neutral vectors; it must hold unchanged and fail mutated.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import consent.decide
import consent.said
from consent import policy_files
from consent import rows as consent_rows
from tests import mutating
from tests.consent import asking, test_decide, test_decide_more

DECIDE, SAID = consent.decide, consent.said

MUTATIONS: list[tuple[ModuleType, str, str]] = [
    # which rows speak
    (DECIDE, "ask.sender.sector in row.senders", "True"),
    (DECIDE, "and ask.recipient.sector in row.recipients", ""),
    (DECIDE, "and ask.purpose in row.purposes", ""),
    (DECIDE, "and row.in_force(day=day, known=known)", ""),
    (DECIDE, "newest[row.id].version < row.version", "newest[row.id].version > row.version"),
    (DECIDE, "row.effect is Effect.DUTY_ON_REQUEST and not ask.requests.get(row.id)", "False"),
    (DECIDE, "row.relation is not None and row.relation not in ask.relations and", "False and"),
    (DECIDE, "in ask.relations and row.effect is not Effect.PROHIBIT", "in ask.relations"),
    (DECIDE, "if row.ref not in self._why_silent]", "]"),
    (DECIDE, "return min(silent, key", "return max(silent, key"),
    (DECIDE, "self._ask.requests.get(row.id, ()))", "())"),
    (DECIDE, "for ref in answer.requests})", "for ref in ()})"),
    (DECIDE, "[row for row in rows if c in row.categories]", "list(rows)"),
    (DECIDE, "if row.covers_field(path)]", "]"),
    (DECIDE, 'path if category in self._by_field else ""', '""'),
    (DECIDE, "known=known_at.astimezone(OSLO).date())", "known=date.max)"),
    # the order of the steps
    (DECIDE, "if row.effect is Effect.PROHIBIT:", "if False:"),
    (DECIDE, "        if not rows:\n            silent =", "        if False:\n            silent ="),
    (DECIDE, "        if said.unreadable:\n            return _Answer(", "        if False:\n            return _Answer("),
    (DECIDE, "_STEPS = (Effect.DUTY, Effect.DUTY_ON_REQUEST, Effect.MAY_UNLESS_OBJECTION,",
             "_STEPS = (Effect.MAY_UNLESS_OBJECTION, Effect.DUTY, Effect.DUTY_ON_REQUEST,"),
    (DECIDE, "for effect in _STEPS:", "for effect in _STEPS[::-1]:"),
    (DECIDE, "return min(answers, key=lambda answer: _BADNESS[answer.reason])",
             "return max(answers, key=lambda answer: _BADNESS[answer.reason])"),
    (DECIDE, "if consents is not None:", "if True:\n        consents = consents or []"),
    # objections and overrides
    (DECIDE, "            if not refused:\n", "            if True:\n"),
    (DECIDE, "override is not None\n            and row.override is not None", "override is not None"),
    (DECIDE, "and override.role in row.override.roles", ""),
    (DECIDE, "and bool(override.ground.strip())", ""),
    (DECIDE, "if person.strip()}) > 1", "if person.strip()}) > 0"),
    (DECIDE, "len({person for person in override.by if person.strip()})", "len(override.by)"),
    (DECIDE, "        if self._ask.override is not None:\n            reason =", "        if False:\n            reason ="),
    (DECIDE, "told = row.override is not None and row.override.notify_person", "told = False"),
    # consents
    (DECIDE, "        if refused and permits:\n", "        if False:\n"),
    (DECIDE, '        if refused:\n            by_exception', '        if False:\n            by_exception'),
    (DECIDE, '"decide.exception" if by_exception else', '"decide.refused" if by_exception else'),
    (DECIDE, 'return _Answer("decide.consent", row.ref, permits, row.obligations)',
             'return _Answer("decide.consent", row.ref, permits)'),
    (DECIDE, 'return _Answer("decide.row", row.ref, (), row.obligations)\n            if',
             'return _Answer("decide.row", row.ref, ())\n            if'),
    # what an item tells
    (DECIDE, "self._ask.protected_address or Category.PROTECTED_ADDRESS in", "Category.PROTECTED_ADDRESS in"),
    (DECIDE, "or Category.PROTECTED_ADDRESS in item.declared | item.categories", ""),
    (DECIDE, "if times[item.path] == 1 else", "if True else"),
    (DECIDE, "if not answers or Category.UNKNOWN in categories:", "if not answers:"),
    (DECIDE, "        if unread:\n            hit", "        if False:\n            hit"),
    (DECIDE, "if item.free_text and not self._health:", "if False:"),
    (DECIDE, "and not self._health:", ":"),
    (DECIDE, "return item.declared | item.categories, False", "return item.categories, False"),
    (DECIDE, "if answers and answers[0].reason not in _PERMITS:", "if answers and answers[-1].reason not in _PERMITS:"),
    # readings
    (DECIDE, "cleared = item.categories if item.free_text else frozenset({Category.UNKNOWN})", "cleared = item.categories"),
    (DECIDE, "if reader.strip()} if reading", "} if reading"),
    (DECIDE, "if reading is not None and readers:", "if reading is not None:"),
    (DECIDE, "item.declared | reading.categories | found", "reading.categories | found"),
    (DECIDE, "item.declared | reading.categories | found", "item.declared | found"),
    (DECIDE, "item.declared | reading.categories | found", "item.declared | reading.categories"),
    (DECIDE, "alone = item.doubt and", "alone = False and"),
    (DECIDE, "and not self._health and len(readers) < 2", "and len(readers) < 2"),
    (DECIDE, "hit = item.doubt or item.categories", "hit = item.categories"),
    (DECIDE, "if len(readers) > 1 else", "if len(readers) > 0 else"),
    # others in the text
    (DECIDE, "        if item.persons:\n", "        if False:\n"),
    (DECIDE, "of_each.setdefault(consent.person, [])", 'of_each.setdefault("", [])'),
    (DECIDE, "self._said.get(person) if person else None", "self._said.get(person)"),
    (DECIDE, "said is None or said.unreadable or", "said is None or"),
    (DECIDE, "or said.refuses(category) or not all(permits)", "or not all(permits)"),
    (DECIDE, "said.refuses(category) or not all(permits):", "said.refuses(category):"),
    (DECIDE, "self._alarms.update(_ALARMS", "set().update(_ALARMS"),
    # what a permission needs
    (SAID, "bool(c.categories and (category in c.categories or ANY in c.categories))\n        and", ""),
    (SAID, "and c.kind == _SHARING", ""),
    (SAID, "and bool(c.senders and (ANY in c.senders or c.senders & q.sender))", ""),
    (SAID, "and bool(c.recipients and (ANY in c.recipients or c.recipients & q.recipient))", ""),
    (SAID, "and bool(c.purposes and (ANY in c.purposes or q.purpose in c.purposes))", ""),
    (SAID, "and _data(c, q.data_date, unknown=False)", ""),
    (SAID, "_data(c, q.data_date, unknown=False)", "_data(c, q.data_date, unknown=True)"),
    (SAID, "    if c.valid_to < q.day:\n", "    if False:\n"),
    (SAID, "    if c.valid_to < q.day:\n", "    if c.valid_to <= q.day:\n"),
    (SAID, "    if c.valid_from > q.day:\n", "    if False:\n"),
    (SAID, "    if c.valid_from > q.day:\n", "    if c.valid_from >= q.day:\n"),
    (SAID, "    if not c.active:\n", "    if False:\n"),
    (SAID, "    if any(_refuses(e, q, category) for e in c.exceptions):\n", "    if False:\n"),
    (SAID, "c.recorder is None or c.recorder in CONTROL_SECTORS", "c.recorder is None"),
    (SAID, "c.recorder is None or c.recorder in CONTROL_SECTORS", "c.recorder in CONTROL_SECTORS"),
    (SAID, "    if c.grantor not in (requires.grantors or _THE_PERSON):\n", "    if False:\n"),
    (SAID, "(requires.grantors or _THE_PERSON)", "(requires.grantors or {c.grantor})"),
    (SAID, "(c.signed or not requires.signed)", "True"),
    (SAID, "and (c.explained or not requires.explained)", ""),
    (SAID, "and (not requires.forms or c.form in requires.forms)", ""),
    (SAID, "and (not requires.recorders or c.recorder in requires.recorders)", ""),
    (SAID, "and (not requires.settings or c.setting in requires.settings)", ""),
    (SAID, "and (c.under_sentence is False or not requires.not_under_sentence)", ""),
    (SAID, "c.under_sentence is False or", "not c.under_sentence or"),
    (SAID, "if requires.texts and c.text_version not in requires.texts:", "if False:"),
    (SAID, "if requires.approved_text and not", "if False and not"),
    (SAID, "day = c.recorded_at.astimezone(OSLO).date()", "day = c.recorded_at.date()"),
    # what a refusal reaches
    (SAID, "    if c.categories and category not in c.categories and ANY not in c.categories:\n        return False\n", ""),
    (SAID, "    return _on_days(c, q.day) and _near(c, q)", "    return _near(c, q)"),
    (SAID, "(not c.senders or ANY in c.senders or bool(c.senders & q.sender))", "True"),
    (SAID, "and (not c.recipients or ANY in c.recipients or bool(c.recipients & q.recipient))", ""),
    (SAID, "and (not c.purposes or ANY in c.purposes or q.purpose in c.purposes)", ""),
    (SAID, "and _data(c, q.data_date, unknown=True)", ""),
    (SAID, "_data(c, q.data_date, unknown=True)", "_data(c, q.data_date, unknown=False)"),
    (SAID, "(c.valid_from is None or c.valid_from <= day) and", "(c.valid_from is not None and c.valid_from <= day) and"),
    (SAID, "        return any(_refuses(e, q, category) for e in c.exceptions)\n", "        return False\n"),
    (SAID, "return not any(_miss(e, q, category, None, NO_TEXTS) is None for e in c.exceptions)", "return True"),
    (SAID, "return not any(_miss(e, q, category, None, NO_TEXTS) is None for e in c.exceptions)",
           "return not c.exceptions"),
    # what stands
    (SAID, "c.withdrawn_at is not None and c.withdrawn_at <= moment", "False"),
    (SAID, "c.withdrawn_at <= moment", "c.withdrawn_at < moment"),
    (SAID, "moment = min(at, known_at)", "moment = known_at"),
    (SAID, "moment = min(at, known_at)", "moment = at"),
    (SAID, "if ref not in gone and c.active and _dated(c)", "if c.active and _dated(c)"),
    (SAID, "if ref not in gone and c.active and _dated(c)", "if ref not in gone and _dated(c)"),
    (SAID, "and _dated(c) and _in_force(c, question.day):", "and _dated(c):"),
    (SAID, "or not _settled(known[ref], in_force)}", "or True}"),
    (SAID, "if (c.permits or ref not in gone) and", "if ref not in gone and"),
    (SAID, "if (c.permits or ref not in gone) and", "if"),
    (SAID, "and not _settled(c, in_force):", ":"),
    (SAID, "c.only_refuses or ref in claimed or", "c.only_refuses or"),
    (SAID, "if c.only_refuses or ref in claimed", "if ref in claimed"),
    (SAID, "and not c.only_refuses for c in", "for c in"),
    (DECIDE, "if self._ask.deceased:", "if False:"),
    (DECIDE, "if self._ask.unidentified:", "if False:"),
    (DECIDE, "if self._ask.deceased:", "if self._ask.deceased and not self._ask.unidentified:"),
    (DECIDE, "if self._ask.protected_address or", "if self._ask.protected_address and not self._ask.unidentified or"),
    (SAID, "or c.id in claimed or", "or"),
    (SAID, "or claimed_ids[c.id] > c.version:", ":"),
    (SAID, "(withdrawn if ref in gone or ended else permitting).append(whole)", "permitting.append(whole)"),
    (SAID, "c.permissions_ended_at <= moment", "c.permissions_ended_at < moment"),
    (SAID, "_inherited(replace(c, exceptions=())) if ended and not c.permits else whole", "whole"),
    (SAID, "ends = (c.withdrawn_at, c.permissions_ended_at)", "ends = (c.withdrawn_at,)"),
    (SAID, "        if dated and c.recorded_at > known_at:\n", "        if False:\n"),
    (SAID, "(first is not c and first != c) or", ""),
    (SAID, "or not _readable(c) or", "or"),
    (SAID, "or (c.permits and not dated):", ":"),
    (SAID, "    if not _dated(old):\n", "    if False:\n"),
    (SAID, "new.grantor != old.grantor or", ""),
    (SAID, "or new.kind != _SHARING:", ":"),
    (SAID, "and new.version > old.version and", "and"),
    (SAID, "and new.recorded_at >= old.recorded_at:", ":"),
    (SAID, "and new.recorded_at > old.recorded_at:", ":"),
    (SAID, "new.replaces == old.ref and", ""),
    # what can be evaluated
    (SAID, "    if not c.readable or not c.id", "    if not c.id"),
    (SAID, "or not c.id or", "or"),
    (SAID, "or c.version < 1 or", "or"),
    (SAID, "or c.kind not in _KINDS:", ":"),
    (SAID, "    if any(end is not None and end.tzinfo is None for end in ends):\n        return False\n", ""),
    (SAID, "    if c.valid_from and c.valid_to and c.valid_to < c.valid_from:\n        return False\n", ""),
    (SAID, "    if c.data_from and c.data_to and c.data_to < c.data_from:\n        return False\n", ""),
    (SAID, "if parties and not parties <= _SECTORS and not all(map(_party, parties)):", "if False:"),
    (SAID, "(not c.purposes or c.purposes <= _PURPOSES) and", ""),
    (SAID, "and (not c.categories or c.categories <= _CATEGORIES)", ""),
    (SAID, "len(word) == 9 and word.isascii() and word.isdigit()", "word.isdigit()"),
    (SAID, "    if depth == 0 or", "    if"),
    (SAID, "or not e.readable or", "or"),
    (SAID, "or e.permits == parent.permits or", "or"),
    (SAID, "or e.withdrawn_at or e.replaces:", "or e.replaces:"),
    (SAID, "or e.withdrawn_at or e.replaces:", "or e.withdrawn_at:"),
    (SAID, "    if not any(narrows) and not any(periods):\n        return False\n", ""),
    (SAID, "return _sound(e) and all(", "return all("),
    (SAID, "_sound_exception(child, e, depth - 1) for child", "True for child"),
    (SAID, "recipients=e.recipients or parent.recipients,", "recipients=e.recipients,"),
    (SAID, "purposes=e.purposes or parent.purposes,", "purposes=e.purposes,"),
    (SAID, "senders=e.senders or parent.senders,", "senders=e.senders,"),
    (SAID, "categories=e.categories or parent.categories,", "categories=e.categories,"),
    (SAID, "valid_from=e.valid_from or parent.valid_from,", "valid_from=e.valid_from,"),
    (SAID, "valid_to=e.valid_to or parent.valid_to,", "valid_to=e.valid_to,"),
    (SAID, "if own_data else parent.data_from", "if True else parent.data_from"),
    (SAID, "if own_data else parent.data_to", "if True else parent.data_to"),
    (SAID, "any((c.permits or c.exceptions) and", "any(c.permits and"),
    (SAID, "return all(c.permits for c in self.refusing if c.ref in refs)", "return any(c.permits for c in self.refusing)"),
]  # one row per case # fmt: skip


def noticed(decide_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether any case of the tables fails with this decision in place of ours."""
    for module in (asking, test_decide, test_decide_more):
        monkeypatch.setattr(module, "decide", decide_module.decide)
    monkeypatch.setattr(test_decide, "permit", decide_module.permit)
    for module in (test_decide, test_decide_more):
        monkeypatch.setattr(module, "load_pack", _pack, raising=False)
    return mutating.noticed(mutating.of_tables((test_decide, test_decide_more)))


@cache
def _pack(name: str) -> consent_rows.Pack:
    return policy_files.load_pack(name)


def mutated(where: ModuleType, old: str, new: str) -> ModuleType:
    """The decision with one change in it, as a module of its own."""
    made: dict[ModuleType, ModuleType] = {}
    for module in (SAID, DECIDE):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        if module is where:
            assert old in source, "the check that this takes out is gone"
            source = source.replace(old, new, 1)
        copy = ModuleType(module.__name__)
        kept = sys.modules[module.__name__], sys.modules.get(SAID.__name__)
        sys.modules[module.__name__] = copy
        sys.modules[SAID.__name__] = made.get(SAID, copy)
        try:
            exec(compile(source, f"mutated {module.__name__}", "exec"), copy.__dict__)
        finally:
            sys.modules[module.__name__] = kept[0]
            sys.modules[SAID.__name__] = SAID
        made[module] = copy
    return made[DECIDE]


def test_the_tables_hold_for_what_is_not_mutated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not noticed(mutated(SAID, "OSLO = ", "OSLO = "), monkeypatch)


@mutating.each(MUTATIONS)
def test_a_check_taken_out_is_noticed(
    where: ModuleType, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert noticed(mutated(where, old, new), monkeypatch)
