"""Understands how a decision is told: plainly to the case worker, formally to the auditor, and to the
outside only what goes.

Pure: a decision and the rows it names, to sentences. It must not know values, nor who reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from consent.plain import DUTIES, Words, word
from consent.rows import Row
from hub.errors import PROBLEMS
from hub.message import Decision, ItemDecision, Verdict


class Language(StrEnum):
    """The languages of the console."""

    BOKMAAL = "nb"
    ENGLISH = "en"


_GOES = {
    Verdict.PERMIT: {"nb": "Går", "en": "Goes"},
    Verdict.DENY: {"nb": "Går ikke", "en": "Does not go"},
    Verdict.HOLD: {"nb": "Venter på at noen leser det", "en": "Waits for somebody to read it"},
}
_ROW = {"nb": "Regel", "en": "Row"}
_CONSENT = {"nb": "Samtykke", "en": "Consent"}
_REQUEST = {"nb": "Anmodning", "en": "Request"}
_DUTY = {"nb": "Plikt som følger med", "en": "Duty that goes with it"}
_LOOK = {"nb": "Et menneske må se på", "en": "A person must look at"}
_OF_ANY = {
    "decide.not-registered-gp": Words(
        "Det går bare til det legekontoret som er registrert som personens fastlege; "
        "spør med organisasjonsnummeret til kontoret.",
        "It goes only to the office that is recorded as the person's registered GP; "
        "ask with the organisation number of the office.",
    ),
    "decide.no-request": Words(
        "Regelen gjelder bare på anmodning, og anmodninger registreres for hver etat; "
        "spør med organisasjonsnummeret til etaten.",
        "The policy row speaks only on request, and requests are on file for each agency; "
        "ask with the organisation number of the agency.",
    ),
}
"""Answers that depend on which agency it is, when the question named a sector and so none."""
_OUTSIDE = {"nb": "Ikke tilgjengelig.", "en": "Not available."}


@dataclass(frozen=True)
class Told:
    """Leaves with the same answer: their paths, and the same in three voices."""

    paths: tuple[str, ...]
    goes: bool
    code: str
    rows: tuple[str, ...]
    consents: tuple[str, ...]
    obligations: tuple[str, ...]
    requests: tuple[str, ...]
    plain: str
    formal: str
    outside: str


def explain(
    decision: Decision, rows: Iterable[Row], language: Language, *, of_sector: bool = False
) -> tuple[Told, ...]:
    """Every answer of the decision with the leaves that share it: what goes first, then by path.

    `of_sector`: it was asked about any agency of the recipient's sector, and so about none in particular.
    """
    known = {row.ref: row for row in rows}
    groups: dict[tuple[object, ...], list[ItemDecision]] = {}
    for item in decision.items:
        key = (item.verdict, item.reason, item.row, item.consents, item.obligations, item.requests)
        groups.setdefault(key, []).append(item)
    told = [_told(items, known, language, of_sector) for items in groups.values()]
    return tuple(sorted(told, key=lambda one: (not one.goes, one.paths)))


def alarms(decision: Decision, language: Language) -> tuple[str, ...]:
    """What a person must look at, as sentences."""
    return tuple(f"{_LOOK[language]}: {_sentence(code, language)}" for code in decision.alarms)


def _told(items: list[ItemDecision], known: Mapping[str, Row], language: Language, of_sector: bool) -> Told:
    one = items[0]
    rows = tuple(one.row.split("+")) if one.row else ()
    goes = one.verdict is Verdict.PERMIT
    any_of_it = _OF_ANY.get(one.reason) if of_sector else None
    why = any_of_it.said(language) if any_of_it else _sentence(one.reason, language)
    plain = [f"{_GOES[one.verdict][language]}: {why}"]
    plain += [f"{_ROW[language]} {ref}: {'; '.join(known[ref].law)}." for ref in rows if ref in known]
    plain += [f"{_CONSENT[language]} {_short(ref)}." for ref in one.consents]
    plain += [f"{_REQUEST[language]} {ref}." for ref in one.requests]
    plain += [f"{_DUTY[language]}: {word(DUTIES, duty, language)}." for duty in one.obligations]
    formal = " ".join(
        (
            f"{one.verdict.value} {one.reason}",
            f"row={','.join(rows) or '-'}",
            f"law={'; '.join(law for ref in rows if ref in known for law in known[ref].law) or '-'}",
            f"consents={','.join(one.consents) or '-'}",
            f"obligations={','.join(one.obligations) or '-'}",
            *([f"requests={','.join(one.requests)}"] if one.requests else []),
        )
    )
    paths = tuple(sorted(item.path for item in items))
    outside = _GOES[one.verdict][language] + "." if goes else _OUTSIDE[language]
    return Told(
        paths,
        goes,
        one.reason,
        rows,
        one.consents,
        one.obligations,
        one.requests,
        " ".join(plain),
        formal,
        outside,
    )


def _sentence(code: str, language: Language) -> str:
    problem = PROBLEMS[code]
    return problem.nb if language is Language.BOKMAAL else problem.title


def _short(ref: str) -> str:
    """Enough of a document's key to find it in the register."""
    name, _, version = ref.rpartition("/")
    return f"{name[:12]}/{version}"
