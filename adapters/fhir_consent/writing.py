"""Understands how a consent record is written as a FHIR Consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from adapters.fhir import Json, concept, present
from adapters.fhir_bundle import MESSAGE_ID
from adapters.fhir_consent import vocabulary as words
from adapters.fhir_consent.reading import TYPE
from adapters.fhir_parts import (
    ORGNR,
    check_fields,
    elements,
    instant,
    needed,
    person_identifier,
    write_addressing,
)
from hub.errors import Finding, HubError
from hub.message import Record

_Code = TypeVar("_Code")
_FIELDS = frozenset(
    {"melding", "person", "samtykke", "avsendere", "mottakere", "formal", "kategorier", "unntak"}
)
_TYPES = {word: code for code, word in words.DECISIONS.items()}
_PERFORMERS = {word: code for code, word in words.GRANTORS.items()}
_SCOPES = {word: code for code, word in words.KINDS.items()}


_EXTRA = (
    (words.FORM, "valueCode", "form"),
    (words.SETTING, "valueCode", "sted"),
    (words.INTERPRETER, "valueCode", "tolk"),
    (words.LANGUAGE, "valueCode", "sprak"),
    (words.UNDER_SENTENCE, "valueBoolean", "under_straff"),
    (words.WIDENED, "valueBoolean", "utvidet"),
    (words.REPLACES, "valueString", "erstatter"),
)


def compose(record: Record) -> Json:
    """Write one consent; whether it would be read as the same, the adapter tells."""
    check_fields(record, TYPE, _FIELDS)
    kind = _word(record, "samtykke.slag", _SCOPES)
    decision = _word(record, "samtykke.beslutning", _TYPES)
    title = record.get("samtykke.tekstversjon")
    return present(
        resourceType="Consent",
        meta={"versionId": str(record.get("samtykke.versjon"))},
        extension=_extensions(record),
        identifier=[
            {"system": words.CONSENT, "value": needed(record, "samtykke.serie")},
            {"system": MESSAGE_ID, "value": needed(record, "melding.id")},
        ],
        status="active",
        scope=concept(*kind),
        category=[concept(*words.CONSENT_CATEGORY)],
        patient=present(
            identifier=person_identifier(needed(record, "person.id")), display=record.get("person.navn")
        ),
        dateTime=instant(needed(record, "melding.sendt")),
        performer=[{"type": _word(record, "samtykke.gitt_av", _PERFORMERS)}]
        if record.get("samtykke.gitt_av") is not None
        else None,
        sourceAttachment={"title": title} if title is not None else None,
        policy=[{"uri": words.POLICY}],
        provision=_provision(record, decision),
    )


def _extensions(record: Record) -> list[Json]:
    return [
        {"url": words.SIGNED, "valueBoolean": record.get("samtykke.signert")},
        {"url": words.EXPLAINED, "valueBoolean": record.get("samtykke.forklart")},
        *(
            {"url": url, kind: value}
            for url, kind, name in _EXTRA
            if (value := record.get(f"samtykke.{name}")) is not None
        ),
        *write_addressing(record),
    ]


def _provision(record: Record, decision: str) -> Json:
    given = record.get("samtykke")
    return present(
        type=decision,
        period=present(start=given.get("gyldig_fra"), end=given.get("gyldig_til")),
        dataPeriod=present(start=given.get("data_fra"), end=given.get("data_til")),
        **_scope(record.fields),
        provision=_exceptions(record.fields, words.OPPOSITE[decision]),
    )


def _exceptions(around: Mapping[str, object], decision: str) -> list[Json]:
    return [
        present(
            type=decision,
            period=present(start=item.get("fra"), end=item.get("til")),
            dataPeriod=present(start=item.get("data_fra"), end=item.get("data_til")),
            **_scope(item),
            provision=_exceptions(item, words.OPPOSITE[decision]),
        )
        for item in elements(around.get("unntak"))
    ]


def _scope(fields: Mapping[str, object]) -> Json:
    return present(
        actor=[
            {"role": concept(*role), "reference": {"identifier": _party(value)}}
            for side, role in words.WRITTEN_ROLES.items()
            for value in _texts(fields.get(side))
        ],
        purpose=[{"system": words.PURPOSE, "code": value} for value in _texts(fields.get("formal"))],
        securityLabel=[
            {"system": words.CATEGORY, "code": value} for value in _texts(fields.get("kategorier"))
        ],
    )


def _party(value: str) -> Json:
    return {"system": ORGNR if value.isdigit() else words.SECTOR, "value": value}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _word(record: Record, path: str, codes: Mapping[str, _Code]) -> _Code:
    word = record.get(path)
    if not isinstance(word, str) or word not in codes:
        raise HubError("render.incomplete", [Finding(path, "code", "one of " + ", ".join(codes))])
    return codes[word]
