"""Understands the clinical contents of a care message: diagnoses, allergies, medicines and notes.

The EPJ components have attributes that say what they are, always the same, and an id that is new in each
document.
"""

from __future__ import annotations

from adapters.kith.datatypes import BOOLEAN, CS, CV, INTEGER, PQ, ST, TS
from adapters.kith.parts import coded, lines, professional, status
from adapters.kith.tables import MANY, Attribute, El, group, leaf, one_of, within

EPJ1 = "http://www.kith.no/xmlstds/epj/epj1/2008-02-20"
EPJ2 = "http://www.kith.no/xmlstds/epj/epj2/2008-02-20"
EPJ3 = "http://www.kith.no/xmlstds/epj/epj3/2008-02-20"
_META = "{http://www.kith.no/xmlstds/epj/meta/2008-02-20}"
_CATEGORIES = ("Cave/allergier", "Legemidler", "Andre notater", "Uspesifisert")
_PARTS = {"V": "kode", "S": "system", "DN": "tekst", "OT": "annet"}


def _component(kind: str, number: str, category: str = "") -> tuple[Attribute, ...]:
    """What an EPJ component says of itself. `category` is the field of its informasjonskategori."""
    why = "" if category else "the element says which category it is"
    said = Attribute(f"{_META}informasjonskategori", to=category, among=_CATEGORIES, why=why)
    return (
        Attribute(f"{_META}basiskomponenttype", value=kind),
        Attribute(f"{_META}komponenttype", value=f"2.16.578.1.12.4.1.6.{number}"),
        said,
        Attribute("komponentID", fresh=True, why="an id within one document; a new document has new ones"),
        Attribute("referanseViktigTilleggsinfo", why="it points to what is not part of these messages"),
    )


def journal(least: int = 0, most: int = 1) -> El:
    """Journaltekst: one as `journal`, several as `tekster`."""
    row = group(
        "Journaltekst",
        coded("Overskriftskode", "overskrift"),
        lines("Notat", "notat", 1),
        lines("Merknad", "merknad"),
        least=least,
        most=most,
        into="tekster" if most > 1 else "journal",
    )
    return within(EPJ2, row)


def allergies() -> El:
    about = group(
        "Allergi",
        leaf("HensynVedForskrivning", BOOLEAN, 0, to="hensyn_forskrivning"),
        leaf("HensynMatDrikke", BOOLEAN, 0, to="hensyn_mat"),
        leaf("Kontaktallergi", BOOLEAN, 0, to="kontaktallergi"),
        leaf("PollenInnsektstikk", BOOLEAN, 0, to="pollen_stikk"),
        lines("AllergiskMot", "mot", 1),
        coded("VirkestoffLegemiddel", "virkestoff"),
        coded("KodeAnnetStoff", "annet_stoff"),
        status("AnafylaktiskeReaksjoner", "anafylaksi"),
    )
    row = group(
        "Allerginotat",
        journal(0, MANY),
        about,
        least=0,
        most=MANY,
        into="allergier",
        attributes=_component("EPJ dokument", "13.11036.1"),
    )
    return within(EPJ1, row)


def cave() -> El:
    word = group(
        "StikkordCave", lines("CaveStikkord", "ord", 1), journal(), least=0, most=MANY, into="stikkord"
    )
    heading = group("SakshodeCave", word, attributes=_component("EPJ dokument", "13.10028.0"))
    row = group(
        "Cave",
        heading,
        allergies(),
        least=0,
        into="cave",
        attributes=_component("EPJ sak", "14.50001.0"),
    )
    return within(EPJ1, row)


def notes() -> El:
    row = group(
        "GenereltJournalnotat",
        journal(1, MANY),
        least=0,
        most=MANY,
        into="notater",
        attributes=_component("EPJ dokument", "13.11009.0", "kategori"),
    )
    return within(EPJ2, row)


def diagnosis(new: bool) -> El:
    one = group(
        "MedisinskDiagnose",
        leaf("Hoveddiagnose", BOOLEAN, 0 if new else 1, to="hoved"),
        leaf("Diagnosekode", CV, 0, to=_PARTS),
        lines("DiagnoseBeskrivelse", "beskrivelse"),
        most=MANY,
        into="diagnoser",
    )
    return group("InfoMedisinskDiagnose", one, least=0, most=MANY)


def medical() -> El:
    blood = group(
        "RegistrertBlodtype",
        status("Blodtype", "type", 1),
        status("Rhesusgruppe", "rhesus"),
        lines("Merknad", "merknad"),
        least=0,
        into="blodtype",
    )
    earlier = group(
        "TidligereSykdomFragment",
        leaf("FunksjonshemmingKroniskSykdom", BOOLEAN, to="kronisk"),
        lines("TidligereSykdom", "sykdom", 1),
        leaf("Diagnosekode", CV, 0, to=_PARTS),
        least=0,
    )
    illnesses = group(
        "InfoTidligereSykdommer", earlier, journal(), least=0, most=MANY, into="tidligere_sykdommer"
    )
    return group(
        "MedisinskfagligeOpplysninger",
        blood,
        illnesses,
        cave(),
        allergies(),
        notes(),
        least=0,
        into="medisinsk",
    )


def other_important() -> El:
    return group("InfoAndreViktigeOpplysninger", notes(), allergies(), least=0, into="andre_opplysninger")


def prescription(least: int) -> El:
    """The medicine: its fields stand beside those of what was prescribed or given."""
    return group(
        "Forskrivningsinfo",
        lines("BruksomradeTekst", "bruksomrade"),
        lines("DosVeiledEnkel", "dosering"),
        leaf("Nr", ST, 0, to="varenummer"),
        leaf("Navn", ST, to="navn", blank=True),
        leaf("GeneriskNavn", ST, 0, to="generisk_navn"),
        leaf("Atc", CS, 0, to={"V": "atc.kode", "DN": "atc.tekst"}),
        status("Legemiddelform", "form"),
        leaf("Styrke", PQ, 0, to={"V": "styrke", "U": "styrke_enhet"}),
        status("Bruk", "bruk"),
        leaf("DoseringStarttidspunkt", TS, 0, to={"V": "fra"}),
        leaf("DoseringSluttidspunkt", TS, 0, to={"V": "til"}),
        leaf("SkalIkkeTasSammenMedAnnetLegemiddel", BOOLEAN, 0, to="ikke_sammen_med_annet"),
        least=least,
    )


def medicine() -> El:
    prescribed = group(
        "ForenkletForskrivning",
        status("StatusTilForskrivningen", "status"),
        status("InngaarIMultidose", "multidose"),
        leaf("ReseptId", ST, 0, to="resept"),
        lines("Merknad", "merknad"),
        professional("Forskriver", "forskriver", 0),
        prescription(1),
    )
    row = group(
        "Legemiddelinfo",
        prescribed,
        least=0,
        most=MANY,
        into="legemidler",
        attributes=_component("EPJ dokument", "13.10301.0"),
    )
    return within(EPJ3, row)


def administered() -> El:
    dose = (
        leaf("AdmEnkeltdose", PQ, 0, to={"V": "dose", "U": "dose_enhet"}),
        leaf("AdmStart", TS, to={"V": "start"}, blank=True),
        leaf("AdmSlutt", TS, 0, to={"V": "slutt"}),
        professional("AdministrertAv", "gitt_av", 0),
    )
    given = group(
        "AdmAvHelsepersonell",
        *dose,
        status("AdmStatus", "status"),
        group("AdministrertLegemiddel", leaf("Kvantum", ST, 0, to="mengde"), least=0),
        prescription(0),
        most=MANY,
        into="gitt",
    )
    itself = group(
        "Egenadministrering",
        *dose,
        group(
            "UtlevertLegemiddel",
            leaf("AntEnkeltdoser", INTEGER, to="antall"),
            most=MANY,
            into="utlevert",
        ),
        prescription(0),
        most=MANY,
        into="utlevert_til_pasienten",
    )
    row = group(
        "LegemidlerAdministrertVedOverforing",
        one_of(given, itself, repeats=True),
        least=0,
        into="administrert",
        attributes=_component("EPJ dokument", "13.10302.0"),
    )
    return within(EPJ3, row)
