"""Understands the room Saker: how holds are laid out for a reader in words, and what a filled-in form asks
for. It decides nothing; `hub/holds.py` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub import holds
from hub.answers import Word
from hub.console.texts import Language, say
from hub.console.users import DeskUser
from hub.errors import PROBLEMS, Finding, HubError
from hub.held import Facts, Piece, Reader, Shown, ShownLeaf
from hub.holds import Answered
from hub.message import Category
from hub.parts import Parts
from mappings.fields import Text

TICKED = tuple(c for c in Category if c is not Category.UNKNOWN)


@dataclass(frozen=True)
class Line:
    """One hold in the list."""

    id: str
    age: timedelta
    recipient: str
    why: str
    leaves: int | None
    proposed: bool


@dataclass(frozen=True)
class Leaf:
    """One held leaf in words. `also` are the categories a reader may tick, with their names."""

    path: str
    title: str
    why: str
    text: str = field(repr=False)
    heard: tuple[Piece, ...] = field(repr=False)
    rewritten: bool
    doubtful: bool
    legible: bool
    hits: tuple[Piece, ...] = field(repr=False)
    about: tuple[str, ...]
    raised: tuple[str, ...]
    rows: tuple[str, ...]
    also: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Given:
    """What somebody proposed, in words. `own`: the visitor did."""

    reader: str
    at: datetime
    reason: str = field(repr=False)
    lines: tuple[str, ...]
    own: bool


@dataclass(frozen=True)
class Page:
    """One hold. `leaves` is empty until it is opened."""

    id: str
    age: timedelta
    recipient: str
    purpose: str
    agreement: str
    why: str
    count: int
    proposed_by: str | None
    leaves: tuple[Leaf, ...] = ()
    given: Given | None = None
    fault: str | None = None


def reader_of(user: DeskUser) -> Reader:
    return Reader(user.id, user.agency, frozenset(role.value for role in user.roles))


def listed(parts: Parts, user: DeskUser, language: Language) -> tuple[Line, ...]:
    """What this reader may open, oldest first."""
    return tuple(
        Line(one.id, one.age, one.recipient.name, _title(one.code, language), one.leaves, one.proposed)
        for one in holds.listed(parts, reader_of(user))
    )


def closed(parts: Parts, hold_id: str, user: DeskUser, language: Language, fault: str | None = None) -> Page:
    """A hold before it is opened. Raises hold.not-found."""
    return _facts(parts, holds.facts(parts, hold_id, reader_of(user)), language, fault)


def opened(parts: Parts, hold_id: str, user: DeskUser, language: Language, fault: str | None = None) -> Page:
    """A hold with its content; that it was read is on record. Raises hold.not-found."""
    shown = holds.read(parts, hold_id, reader_of(user))
    page = _facts(parts, shown.facts, language, fault)
    return Page(
        **{
            **vars(page),
            "leaves": tuple(_leaf(parts, leaf, language) for leaf in shown.leaves),
            "given": _given(parts, shown, user, language),
        }
    )


def answered(parts: Parts, hold_id: str, user: DeskUser, form: Mapping[str, list[str]]) -> Answered:
    """What the form asks for, done. Raises what `hub/holds.py` raises."""
    reader, do = reader_of(user), form.get("do", [""])[-1]
    reason = " ".join(form.get("reason", [""])[-1].split())
    if do == "confirm":
        return holds.confirm(parts, hold_id, reader)
    if do in ("return", "refuse"):
        return holds.answer(parts, hold_id, reader, Word(do), reason=reason)
    only = form.get("only", []) if do == "reduced" else []
    if do not in ("release", "reduced") or (do == "reduced" and not only):
        raise HubError("hold.invalid", [Finding("only", "empty", "at least one leaf")])
    return holds.answer(
        parts, hold_id, reader, Word.RELEASE, reason=reason, only=only, found=_ticked(form.get("found", []))
    )


def fault(error: HubError, language: Language) -> str:
    """What went wrong, in words."""
    if any(finding.at == "reason" for finding in error.findings):
        return say(language, "sak.reason.missing")
    if any(finding.at == "only" for finding in error.findings):
        return say(language, "sak.only.missing")
    if any(finding.rule == "legible" for finding in error.findings):
        return say(language, "sak.illegible")
    return _title(error.code, language)


def done(answer: Answered, language: Language) -> str:
    """What became of an answer, in words."""
    if answer.waits:
        return say(language, "saker.done.waits")
    if answer.told:
        return say(language, "saker.done.told")
    return say(language, "saker.done")


def _ticked(said: list[str]) -> dict[str, set[Category]]:
    found: dict[str, set[Category]] = {}
    for one in said:
        category, _, path = one.partition("@")
        if category not in TICKED:
            raise HubError("hold.invalid", [Finding("found", "category", "a category of the list")])
        found.setdefault(path, set()).add(Category(category))
    return found


def _facts(parts: Parts, known: Facts, language: Language, fault: str | None) -> Page:
    return Page(
        id=known.id,
        age=known.age,
        recipient=known.recipient.name,
        purpose=_named(parts, "formal", known.purpose.value, language),
        agreement=_said(known.agreement, language),
        why=_title(known.code, language),
        count=known.leaves,
        proposed_by=known.proposed_by,
        fault=fault,
    )


def _leaf(parts: Parts, leaf: ShownLeaf, language: Language) -> Leaf:
    return Leaf(
        path=leaf.path,
        title=_said(leaf.title, language),
        why=_title(leaf.code, language),
        text=leaf.text,
        heard=leaf.heard,
        rewritten=leaf.rewritten,
        doubtful=leaf.doubtful,
        legible=leaf.legible,
        hits=tuple(piece for piece in leaf.heard if piece.term),
        about=_categories(parts, leaf.declared, language),
        raised=_categories(parts, leaf.raised, language),
        rows=tuple(
            say(
                language,
                f"sak.row.{row.effect.value.lower().replace('_', '-')}",
                row=row.ref,
                categories=", ".join(_categories(parts, row.categories, language)),
                law="; ".join(row.law),
            )
            for row in leaf.rows
        ),
        also=tuple(
            (f"{c.value}@{leaf.path}", _category(parts, c, language))
            for c in TICKED
            if c not in leaf.declared
        ),
    )


def _given(parts: Parts, shown: Shown, user: DeskUser, language: Language) -> Given | None:
    proposal = shown.proposal
    if proposal is None:
        return None
    titles = {leaf.path: _said(leaf.title, language) for leaf in shown.leaves}
    lines = []
    for path, on in proposal.leaves.items():
        line = f"{titles.get(path, path)}: {say(language, f'sak.word.{on.word.value}')}"
        if on.found:
            line += f" ({', '.join(_categories(parts, on.found, language))})"
        lines.append(line)
    own = proposal.reader == user.id
    return Given(proposal.reader, proposal.at, proposal.reason, tuple(lines), own)


def _categories(parts: Parts, categories: frozenset[Category], language: Language) -> tuple[str, ...]:
    return tuple(_category(parts, c, language) for c in Category if c in categories)


def _category(parts: Parts, category: Category, language: Language) -> str:
    if category in (Category.UNKNOWN, Category.PROTECTED_ADDRESS):
        return say(language, f"sak.category.{category.value.replace('_', '-')}")
    return _named(parts, "kategorier", category.value, language)


def _named(parts: Parts, field_: str, code: str, language: Language) -> str:
    """How the consent form names a purpose or a category: the same word everywhere."""
    named = parts.types["samtykke.gitt"].field(field_).codes.get(code)
    return _said(named, language) if named else code


def _said(text: Text, language: Language) -> str:
    return text.nb if language is Language.NB else text.en


def _title(code: str, language: Language) -> str:
    problem = PROBLEMS.get(code)
    if problem is None:
        return code
    return problem.nb if language is Language.NB else problem.title
