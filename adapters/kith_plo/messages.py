"""Understands which parts each care message has, in which order, in 1.5 (2009-06-30) and 1.6 (2012-04-01)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from adapters.kith.tables import MANY, El, group, within
from adapters.kith_plo import sending as po
from adapters.kith_plo.clinical import diagnosis, medical, medicine, other_important
from adapters.kith_plo.nursing import functions, nursing, other_professions

_KITH = "http://www.kith.no/xmlstds/po"
_DAYS = {"1.5": "2009-06-30", "1.6": "2012-04-01"}
VERSIONS = tuple(_DAYS)


class Message(NamedTuple):
    """One message: the code of list 8279, the message type, the root by version and its parts."""

    code: str
    type: str
    roots: Mapping[str, str]
    parts: Callable[[bool], tuple[El, ...]]


def _discharge(new: bool) -> tuple[El, ...]:
    return (
        po.kind_of_content(),
        po.stay(0),
        diagnosis(new),
        medical(),
        medicine(),
        other_important(),
        nursing(new),
        other_professions(MANY),
        functions(),
        po.needed_service(),
        po.informed(new),
        po.communication(),
        po.reservation(),
        po.control(new),
        po.aids(),
    )


def _admission(new: bool) -> tuple[El, ...]:
    return (
        diagnosis(new),
        medical(),
        medicine(),
        po.service(),
        functions(),
        other_important(),
        nursing(new),
        other_professions(1),
        po.aids(),
        po.communication(),
        po.reservation(),
        po.informed(new),
    )


def _application(new: bool) -> tuple[El, ...]:
    first = (po.kind_of_content(), po.stay(1), po.to_application(0)) if new else (po.to_application(1),)
    return (
        *first,
        diagnosis(new),
        medical(),
        nursing(new),
        other_professions(MANY),
        functions(),
        po.communication(),
        po.informed(new),
        po.needed_service(),
    )


def _to_doctor(new: bool) -> tuple[El, ...]:
    return (
        po.consultation(),
        diagnosis(new),
        medical(),
        medicine(),
        other_important(),
        nursing(new),
        functions(),
        po.informed(new),
        po.communication(),
        po.reservation(),
    )


def _same(name: str) -> Mapping[str, str]:
    return {version: f"{{{_KITH}/{name}/{day}}}{name}" for version, day in _DAYS.items()}


_CONSULTATION = {
    "1.5": f"{{{_KITH}/Konsultasjon/2009-06-30}}Konsultasjon",
    "1.6": f"{{{_KITH}/HelseopplysningerTilLege/2012-04-01}}Konsultasjon",
}
MESSAGES: Mapping[str, Message] = {
    "utskrivning": Message("UTSKRIVNINGSRAPPORT", "pleie.rapport", _same("TverrfagligEpikrise"), _discharge),
    "innleggelse": Message("INNLEGGELSESRAPPORT", "pleie.rapport", _same("Innleggelsesrapport"), _admission),
    "lege": Message("HELSEOPPLYSNINGER_LEGE", "pleie.rapport", _CONSULTATION, _to_doctor),
    "soknad": Message("HELSEOPPL_SOKNAD", "pleie.soknad", _same("HelseopplysningerVedSoknad"), _application),
}


def payload(message: Message, version: str) -> El:
    """The root element of the content."""
    new = version == "1.6"
    parts = (*po.head(new), *message.parts(new))
    components = f"{_KITH}/poKomponent/{_DAYS[version]}"
    namespace, _, name = message.roots[version][1:].partition("}")
    return within(namespace, group(name, *(within(components, part) for part in parts)))
