"""Understands what nurses and others write in a care message: assessments, measures, goals, functions."""

from __future__ import annotations

from adapters.kith.datatypes import BOOLEAN, DATE, DATETIME, DOUBLE, INTEGER, PQ, ST
from adapters.kith.parts import coded, lines, professional, status, unit
from adapters.kith.tables import MANY, El, group, leaf
from adapters.kith_plo.clinical import administered, journal


def measure(name: str, into: str) -> El:
    """A list of measures: `IverksatteTiltak`, `AnbefaltVidereTiltak`."""
    return group(name, _measure(1), least=0, most=MANY, into=into)


def _measure(least: int, most: int = 1, into: str = "") -> El:
    done = group(
        "GjennomforingAvTiltak",
        leaf("UtfortTidspunkt", DATE, to="utfort"),
        leaf("TiltakKanTermineres", BOOLEAN, 0, to="kan_avsluttes"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="gjennomforing",
    )
    planned = group(
        "PlanlagtGjennomforingTiltak",
        leaf("PlanlagtStart", DATE, to="start"),
        leaf("PlanlagtSlutt", DATE, 0, to="slutt"),
        status("FasteUkedager", "ukedager", 0, MANY),
        leaf("GjentagelseIntervall", PQ, 0, to={"V": "intervall", "U": "intervall_enhet"}),
        leaf("EtterBehov", BOOLEAN, 0, to="etter_behov"),
        least=0,
        into="plan",
    )
    return group(
        "Tiltaksbeskrivelse",
        coded("IntervensjonTiltakKode", "koder", 0, MANY),
        lines("IntervensjonTiltakBeskrivelse", "beskrivelse"),
        status("KategoriHelsepersonell", "yrke"),
        leaf("Stikkord", ST, 0, MANY, to="stikkord"),
        leaf("EvalueringTidspunkt", DATE, 0, to="evalueres"),
        lines("Merknad", "merknad"),
        done,
        planned,
        least=least,
        most=most,
        into=into,
    )


def assessments() -> El:
    single = group(
        "Enkeltvurdering",
        coded("Funksjonsområde", "omrade"),
        coded("KodetVurdering", "vurdering"),
        lines("VurderingTekst", "tekst"),
        least=0,
        most=MANY,
        into="enkeltvurderinger",
    )
    content = group(
        "InnholdVurdering",
        lines("VurderingenGjelder", "gjelder", 1),
        leaf("Stikkord", ST, 0, MANY, to="stikkord"),
        leaf("FraDato", DATE, 0, to="fra"),
        leaf("TilDato", DATE, 0, to="til"),
        status("KategoriHelsepersonell", "yrke"),
        single,
    )
    return group("InfoVurderinger", content, journal(0, MANY), least=0, most=MANY, into="vurderinger")


def goals() -> El:
    content = group(
        "InnholdMaaldokument",
        coded("MaalForventetResultat", "mal"),
        coded("ForventetGradMaaloppnaaelse", "grad"),
        lines("Beskrivelse", "beskrivelse"),
        status("KategoriHelsepersonell", "yrke"),
        leaf("ForventesOppnaadd", DATE, 0, to="oppnadd"),
        leaf("FraDato", DATE, 0, to="fra"),
        leaf("TilDato", DATE, 0, to="til"),
        leaf("Stikkord", ST, 0, MANY, to="stikkord"),
    )
    return group("InfoMaalForventetRes", content, journal(0, MANY), least=0, most=MANY, into="mal")


def responsible(most: int) -> El:
    """Who answered for it: a list where there may be several."""
    return group(
        "Ansvarlig",
        coded("TypeHendelse", "hendelse"),
        leaf("TidspunktForHendelse", DATETIME, to="tidspunkt"),
        leaf("Ekstern", BOOLEAN, to="ekstern"),
        professional("AnsvarligTjenesteyter", "behandler", 0),
        unit("Virksomhet", "virksomhet", 0),
        lines("Merknad", "merknad"),
        least=0,
        most=most,
        into="ansvarlige" if most > 1 else "ansvarlig",
    )


def nursing(new: bool) -> El:
    remarks = (
        lines("MerknadTilBandasjemateriell", "bandasje_merknad"),
        lines("MerknadTilLegemiddeladministrering", "legemiddel_merknad"),
    )
    follow_up = group(
        "OpplysningerRelevantOppfolging",
        leaf("BandasjemateriellEngangsutstyr", BOOLEAN, 0, to="bandasje"),
        leaf("HjelpLegemiddeladm", BOOLEAN, 0, to="hjelp_legemidler"),
        lines("EndringFunksjonsnivaa", "endring_funksjon"),
        *(remarks if new else ()),
        least=0,
    )
    from_nurse = group("InfoFraSykepleier", follow_up, journal(0, MANY), least=0, into="oppfolging")
    instructions = group(
        "AdmInstrukser",
        status("Utleveringsform", "utlevering"),
        status("SarskilteTiltak", "sarskilte_tiltak", 0, MANY),
        least=0,
    )
    agreed = group(
        "AvtaleOmAdmLegemidler",
        leaf("AvtaleAdmLegemidler", BOOLEAN, to="avtale"),
        leaf("AvtaleAdmMultidose", BOOLEAN, to="multidose"),
        lines("Merknad", "merknad"),
        instructions,
        _measure(0, MANY, "tiltak"),
    )
    return group(
        "Sykepleierdokumentasjon",
        from_nurse,
        administered(),
        group("InfoAvtaleOmLegemiddeladm", agreed, least=0, into="legemiddelavtale"),
        assessments(),
        measure("IverksatteTiltak", "iverksatte_tiltak"),
        measure("AnbefaltVidereTiltak", "anbefalte_tiltak"),
        goals(),
        responsible(MANY),
        least=0,
        into="sykepleie",
    )


def other_professions(most: int) -> El:
    report = group(
        "AndreFagrapporter",
        leaf("BehandlingStart", DATE, 0, to="start"),
        lines("StatusInnleggelse", "status_innleggelse"),
        lines("StatusBehandlingsstart", "status_start"),
        lines("ForventetStatusUtskriving", "forventet_status"),
        professional("AnsvarligRapport", "behandler", 0),
        journal(0, MANY),
        least=0,
    )
    return group(
        "OpplysningerAndreFaggrupper",
        report,
        measure("AnbefaltVidereTiltak", "anbefalte_tiltak"),
        assessments(),
        least=0,
        most=most,
        listed=True,
        into="faggrupper",
    )


def functions() -> El:
    whole = group(
        "SamletVurderingFunksjonsniva",
        leaf("Pleietyngde", DOUBLE, 0, to="pleietyngde"),
        lines("VurderingPleietyngde", "vurdering"),
        lines("Merknad", "merknad"),
        least=0,
        into="samlet",
    )
    mapped = group(
        "KartlagtFunksjon",
        coded("Funksjonsvariabel", "variabel"),
        leaf("Vurdering", INTEGER, 0, to="vurdering"),
        lines("Merknad", "merknad"),
        most=MANY,
        into="kartlagt",
    )
    return group("InfoKartleggingFunksjonsniva", whole, mapped, responsible(1), least=0, into="funksjon")
