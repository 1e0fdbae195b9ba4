"""Understands decision vectors in a neutral notation: asks the real decision each, and compares.

A vector is some consents, one request and the answer expected. It must not know the hub's store or
messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from consent.rows import Pack
from consent.texts import Texts
from consent.vector_answers import DENY, FINE, HOLD, PARTIAL, PERMIT, Got, answer
from consent.vector_files import Plain, Vector, Words, as_list
from hub.errors import PROBLEMS

_EXPECTED_KEYS = {
    *("decision", "reason", "consent", "alarm", "retry", "route", "released", "removed"),
    *("row", "stop", "after", "note"),  # said for the reader: rows have our own names
}


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


def check(
    vectors: Iterable[Vector], pack: Pack, texts: Texts, words: Words, *, strict: bool
) -> tuple[Result, ...]:
    """Every vector answered and compared. `strict` turns what is expected into the strict pack's
    answer: substance use never goes on a row or an override alone."""
    known = Texts((*FINE.known, *texts.known))
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
    said = [vector.request.get("category"), *(as_list(vector.request.get("items")))]
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
        if name in expected and frozenset(map(str, as_list(expected[name]))) not in found:
            yield name
