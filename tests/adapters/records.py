"""Understands how to make records of every message type that a written adapter reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from hypothesis import strategies as st

from hub.message import Category, Purpose, Record, Sector
from mappings.identifiers import is_orgnr


def synthetic_number(born: date, serial: int) -> str | None:
    """A number with the month raised by 80, as test populations have it; None where no check digit exists."""
    digits = [int(c) for c in f"{born.day:02}{born.month + 80:02}{born.year % 100:02}{serial:03}"]
    for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)):
        check = (11 - sum(w * d for w, d in zip(weights, digits, strict=True)) % 11) % 11
        if check == 10:
            return None
        digits.append(check)
    return "".join(map(str, digits))


def _first_number() -> str:
    return next(n for serial in range(100, 200) if (n := synthetic_number(date(1987, 5, 14), serial)))


FNR = _first_number()

numbers = (
    st.builds(synthetic_number, st.dates(date(1940, 1, 1), date(1999, 12, 31)), st.integers(0, 499))
    .filter(bool)
    .map(str)
)
days = st.dates(date(2020, 1, 1), date(2035, 12, 31)).map(date.isoformat)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(  # noqa: DTZ001 the strategy wants naive bounds
    lambda moment: moment.replace(microsecond=0).isoformat() + "+01:00"
)
ids = st.from_regex(r"[A-Za-z0-9._:-]{1,100}", fullmatch=True)
_letters = st.characters(
    blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters="\ufffe\uffff\x85"
)
lines = st.text(_letters, min_size=1, max_size=40).map(lambda text: text.strip() or "x")
"""One line that neither starts nor ends with a space."""
texts = st.lists(st.one_of(lines, st.just("")), min_size=1, max_size=4).map(
    lambda many: "\n".join(many).strip() or "x"
)
orgnrs = st.integers(100_000_000, 999_999_999).map(str)
kommuner = st.integers(0, 9999).map(lambda number: f"{number:04}")


def some(
    required: Mapping[str, Any], **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict(required), optional=optional)


def filled(strategy: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Groups that hold something: an empty group says nothing and no format writes it."""
    return strategy.filter(bool)


melding = some({"id": ids, "sendt": moments}, mottaker=orgnrs, avsender=orgnrs, svar_pa=ids)
person = some({"id": numbers}, navn=lines)
need = st.sampled_from(["ingen", "noe", "stort"])
yes_no = st.booleans()
release = filled(
    some(
        {},
        planlagt_dato=days,
        type=st.sampled_from(["full_tid", "proveloslatelse", "overforing"]),
        sikkerhet=st.sampled_from(["bekreftet", "sannsynlig", "usikker"]),
    )
)


def screening(instrument: str, questions: int) -> st.SearchStrategy[dict[str, Any]]:
    points = st.lists(st.sampled_from([0, 2, 4]), min_size=questions, max_size=questions)
    return st.builds(
        lambda svar, dato, versjon: {
            "instrument": instrument,
            "versjon": versjon,
            "dato": dato,
            "svar": svar,
            "sum": sum(svar),
        },
        points,
        days,
        st.sampled_from(["1.0", "norsk 2010", "2|b", "æ/ø"]),
    )


def area(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return filled(
        some({}, behov=need, onske=yes_no, prioritet=st.integers(1, 9), tiltak=lines, merknad=texts, **more)
    )


brik = st.builds(
    Record,
    st.just("brik.kartlegging"),
    some(
        {
            "melding": melding,
            "person": person,
            "enhet": lines,
            "tilbud": some({"status": st.sampled_from(["akseptert", "gjennomfort"])}, dato=days),
        },
        dato=days,
        sanksjonstype=st.sampled_from(["ubetinget", "betinget", "samfunnsstraff", "varetekt"]),
        kartlegger=filled(some({}, rolle=st.sampled_from(["kontaktbetjent", "annet"]), opplaering=yes_no)),
        varighet_minutter=st.integers(0, 600),
        person_adressegradering=st.sampled_from(["ugradert", "fortrolig"]),
        kommuner=filled(some({}, opphold=kommuner, arrest=kommuner, folkeregistrert=kommuner, bydel=lines)),
        loslatelse=release,
        bolig=area(siste_dato=days, proveloslatelse_avhenger=yes_no, for_innsettelse=st.just("leid")),
        utdanning=area(niva=st.just("fagbrev"), pagaende=yes_no),
        arbeid=area(i_arbeid_for=yes_no),
        okonomi=area(gjeld=yes_no, aap=st.just("har")),
        helse=area(onsker_kontakt=yes_no, psykisk_behov=need),
        rus=area(
            lar=st.sampled_from(["nei", "i_lar", "onsker"]),
            audit=screening("AUDIT", 10),
            dudit=screening("DUDIT", 11),
        ),
        familie=area(barn=yes_no),
        nettverk=area(kontaktperson=yes_no),
        fritid=area(),
    ),
)

uuids = st.uuids().map(str)
"""What every format can carry as the id of a message. National XML demands it, and both parties."""
_with_uuid = some(
    {
        "id": uuids,
        "sendt": moments,
        "mottaker": orgnrs.filter(is_orgnr),
        "avsender": orgnrs.filter(is_orgnr),
    },
    svar_pa=uuids,
)
_codes = st.from_regex(r"[A-Z][0-9]{1,3}(\.[0-9]{1,2})?", fullmatch=True)
_systems = st.sampled_from(["urn:oid:2.16.578.1.12.4.1.1.7110", "urn:oid:2.16.578.1.12.4.1.1.7180"])
_coded = st.lists(
    some({"system": _systems, "kode": _codes}, tekst=lines),
    min_size=1,
    max_size=3,
    unique_by=lambda one: (one["system"], one["kode"]),
)


def _with_numbers(sender: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A number belongs to a name: national XML has no place for one alone."""
    number = st.integers(1, 9_999_999).map(str)
    named = {"enhet": "resh", "behandler": "behandler_hpr"}
    return some(
        {name: st.just(value) for name, value in sender.items()},
        **{numbered: number for name, numbered in named.items() if name in sender},
    )


epikrise = st.builds(
    Record,
    st.just("epikrise"),
    some(
        {
            "melding": _with_uuid,
            "person": some({"id": numbers, "navn": lines}),
            "dato": days,
            "seksjoner": st.lists(
                some({"tittel": lines, "tekst": texts}, kode=_codes, koder=_coded), min_size=1, max_size=4
            ),
        },
        avsender=filled(some({}, enhet=lines, behandler=lines)).flatmap(_with_numbers),
        periode=filled(some({}, fra=days, til=days)),
        diagnoser=st.lists(some({"system": _systems, "kode": _codes}, tekst=lines), min_size=1, max_size=4),
        legemidler=st.lists(
            some({"system": _systems, "kode": _codes}, navn=lines, dosering=lines), min_size=1, max_size=4
        ),
    ),
)

_faults = filled(
    some({}, kode=st.from_regex(r"[A-Z]?[0-9]{1,3}", fullmatch=True), system=_systems, tekst=lines)
)
_unit = some({"enhet": lines}, rolle=lines, her=lines, avdeling=lines, behandler=lines)


def _answering(fields: dict[str, Any]) -> Record:
    return Record("kvittering", {**fields, "melding": {**fields["melding"], "svar_pa": fields["gjelder"]}})


kvittering = some(
    {
        "melding": some({"id": ids, "sendt": moments}, mottaker=orgnrs.filter(is_orgnr)),
        "gjelder": ids,
        "gjelder_type": lines,
        "gjelder_sendt": moments,
        "status": st.sampled_from(["mottatt", "delvis", "avvist"]),
        "avsender": _unit,
        "mottaker": _unit,
    },
    gjelder_type_tekst=lines,
    feil=st.lists(_faults, min_size=1, max_size=3),
).map(_answering)

tsb = st.builds(
    Record,
    st.just("tsb.henvisning"),
    some(
        {
            "melding": melding,
            "person": person,
            "rus": some(
                {"behov": need},
                onske=yes_no,
                tidligere_behandling=yes_no,
                lar=st.just("onsker"),
                audit=screening("AUDIT", 10),
                dudit=screening("DUDIT", 11),
                merknad=texts,
            ),
        },
        henviser=filled(some({}, enhet=lines, rolle=st.sampled_from(["fengselslege", "sykepleier"]))),
        loslatelse=release,
        kommuner=filled(some({}, folkeregistrert=kommuner, loslatelse=kommuner)),
    ),
)

_task_fault = some(
    {"kode": st.from_regex(r"[A-Z]?[0-9]{1,3}", fullmatch=True)},
    system=st.just("urn:oid:2.16.578.1.12.4.1.1.8221"),
    tekst=lines,
    forklaring=lines,
)
receipt = st.builds(
    Record,
    st.just("kvittering"),
    some(
        {
            "melding": melding,
            "gjelder": ids,
            "status": st.sampled_from(["mottatt", "delvis", "avvist", "startet", "avsluttet"]),
        },
        person=person,
        feil=st.lists(_task_fault, min_size=1, max_size=3),
        kode=st.from_regex(r"[A-Za-z0-9._:-]{1,40}", fullmatch=True),
    ),
)

_parties = st.lists(
    st.one_of(st.sampled_from([s.value for s in Sector]), orgnrs, st.just("*")),
    min_size=1,
    max_size=3,
    unique=True,
)
_purposes = st.lists(st.sampled_from([p.value for p in Purpose]), min_size=1, max_size=3, unique=True)
_categories = st.lists(
    st.sampled_from([c.value for c in Category if c not in (Category.UNKNOWN, Category.PROTECTED_ADDRESS)]),
    min_size=1,
    max_size=3,
    unique=True,
)


def _exceptions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    one = some(
        {},
        avsendere=_parties,
        mottakere=_parties,
        formal=_purposes,
        kategorier=_categories,
        fra=days,
        til=days,
        data_fra=days,
        data_til=days,
        unntak=inner,
    )
    return st.lists(filled(one).filter(lambda group: set(group) != {"unntak"}), min_size=1, max_size=2)


consent = st.builds(
    Record,
    st.just("samtykke.gitt"),
    some(
        {
            "melding": melding,
            "person": person,
            "samtykke": some(
                {
                    "serie": ids,
                    "versjon": st.integers(1, 99999),
                    "beslutning": st.sampled_from(["tillat", "nekt"]),
                    "signert": yes_no,
                    "forklart": yes_no,
                    "gitt_av": st.sampled_from(["pasient", "verge"]),
                    "slag": st.sampled_from(["deling", "program"]),
                },
                gyldig_fra=days,
                gyldig_til=days,
                data_fra=days,
                data_til=days,
                tekstversjon=lines,
                erstatter=ids,
                form=st.sampled_from(["skriftlig", "elektronisk", "muntlig"]),
                sted=st.sampled_from(["helsetjeneste", "fengsel", "digitalt"]),
                tolk=st.sampled_from(["ingen", "kvalifisert"]),
                sprak=st.sampled_from(["nb", "nn", "sme"]),
                under_straff=yes_no,
                utvidet=yes_no,
            ),
        },
        avsendere=_parties,
        mottakere=_parties,
        formal=_purposes,
        kategorier=_categories,
        unntak=st.one_of(_exceptions(st.nothing()), _exceptions(_exceptions(st.nothing()))),
    ),
)

_told = some({"id": ids, "sendt": moments, "svar_pa": ids}, mottaker=orgnrs, avsender=orgnrs)
withdrawal = st.builds(
    Record,
    st.just("samtykke.trukket"),
    st.one_of(
        some(
            {
                "melding": melding,
                "person": person,
                "samtykke": st.fixed_dictionaries({"serie": ids, "beslutning": st.just("tillat")}),
                "tidspunkt": moments,
            },
            signert=yes_no,
        ),
        some({"melding": _told, "person": person, "tidspunkt": moments}, signert=yes_no),
    ),
)
"""Of one series, or the notice of one."""
