"""Understands what the documents of several records say together, when it is in doubt whether the
records are about one person: doubt widens a refusal and narrows a permission.

Pure. It must not know how records are linked, only which documents come over a doubtful link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.message import Consent


def seen_together(own: Sequence[Consent], doubtful: Mapping[str, Sequence[Consent]]) -> tuple[Consent, ...]:
    """`own`: the documents of what is one person beyond doubt. `doubtful`: those of each other record.

    A doubtful document can refuse, and replace what stands beside it on its own record, but never
    permits; its id gets the record's name, so that it settles nothing of anybody else. An own
    permission that it would replace, were it the same person, permits nothing either.
    """
    theirs = tuple(c for documents in doubtful.values() for c in documents)
    mine = tuple(replace(c, only_refuses=True) if _replaced(c, theirs) else c for c in own)
    return mine + tuple(_named(c, record) for record, documents in doubtful.items() for c in documents)


def _replaced(own: Consent, theirs: Sequence[Consent]) -> bool:
    return any(
        (c.id == own.id and (c.version > own.version or (c.version == own.version and c != own)))
        or (c.replaces is not None and c.replaces in (own.id, own.ref))
        for c in theirs
    )


def _named(c: Consent, record: str) -> Consent:
    return replace(
        c,
        id=f"{c.id}~{record}",
        replaces=None if c.replaces is None else _name(c.replaces, record),
        only_refuses=True,
    )


def _name(reference: str, record: str) -> str:
    """An id, or an id with a version, of the same record."""
    series, slash, version = reference.partition("/")
    return f"{series}~{record}{slash}{version}"
