"""Understands Henvisning 2.0: in MsgHead, with components of the care messages in their version 2.0."""

from __future__ import annotations

from adapters.kith.datatypes import BOOLEAN, CS, DATE, DATETIME, ST, YEAR
from adapters.kith.parts import coded, lines, person, status
from adapters.kith.tables import MANY, El, group, leaf, within
from adapters.kith_henvisning.contents import (
    comments,
    consent,
    diagnoses,
    items,
    precautions,
    reasons,
    wanted,
)
from adapters.kith_plo.sending import connected_unit, contact, kind_of_content, responsible, sent_document

NS = "http://ehelse.no/xmlstds/henvisning/2017-11-30"
_PO = "http://ehelse.no/xmlstds/po/poKomponent/2017-11-30"
CODES = ("HENVISNING_NYTILSTAND", "HENVISNING_VIDERE")


def _about_patient() -> El:
    return group(
        "TilleggsopplysningPasient",
        status("SivilStatus", "sivilstatus"),
        leaf("BorAlene", BOOLEAN, 0, to="bor_alene"),
        status("Sprak", "sprak"),
        leaf("MottarKommunaleTjenester", BOOLEAN, 0, to="kommunale_tjenester"),
        lines("Merknad", "merknad"),
        least=0,
        into="pasient",
    )


def _relative() -> El:
    return group(
        "ParorendeForesatt",
        status("Slektskap", "slektskap"),
        status("Omsorgsfunksjon", "omsorg"),
        leaf("FodselsarMindrearigParorende", YEAR, 0, to="fodselsar"),
        leaf("NarmesteParorende", BOOLEAN, 0, to="narmeste"),
        person("Referanseperson", "person"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="parorende",
    )


def _communication() -> El:
    inside = group(
        "AssistertKommunikasjon",
        person("PersonTolkebehov", "person", 0),
        leaf("Horselsvikt", BOOLEAN, 0, to="horselsvikt"),
        leaf("Synsvikt", BOOLEAN, 0, to="synsvikt"),
        status("BehovTolkSprak", "tolk"),
        person("PreferertTolk", "tolkperson", 0),
        leaf("BehovOpphortDato", DATE, 0, to={"V": "opphort"}),
        lines("Merknad", "merknad"),
    )
    return group("InfoAssistertKommunikasjon", inside, least=0, most=MANY, into="kommunikasjon")


def _plan() -> El:
    return group(
        "OpplysningerOmIndividuellPlan",
        leaf("IndividuellPlanForeligger", BOOLEAN, 0, to="foreligger"),
        leaf("KoordinatorOppnevnt", BOOLEAN, 0, to="koordinator"),
        lines("Merknad", "merknad"),
        least=0,
        into="individuell_plan",
    )


def _known() -> El:
    return group(
        "PasientrelatertKontaktperson",
        leaf("StillingRolle", ST, 0, to="stilling"),
        leaf("Arbeidssted", ST, 0, to="arbeidssted"),
        person("Referanseperson", "person"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="kontakter",
    )


def _reviewed() -> El:
    return group(
        "Legemiddelgjennomgang",
        leaf("DatoLegemiddelgjennomgang", DATE, 0, to="gjennomgatt"),
        leaf("DatoSamstemming", DATE, 0, to="samstemt"),
        lines("Merknad", "merknad"),
        least=0,
        into="legemiddelgjennomgang",
    )


def _assessed() -> El:
    """VurderingAvHenvisning: what was decided where the referral came from; a change of hands needs it."""
    date = group(
        "DatoMottakOgVurdering",
        coded("TypeDato", "type", 1),
        leaf("Dato", DATE, to="dato"),
        most=MANY,
        into="datoer",
    )
    about = group(
        "Opplysninger",
        leaf("FrittSykehusvalg", BOOLEAN, 0, to="fritt_sykehusvalg"),
        coded("VentetidSluttkode", "ventetid"),
        leaf("ForlopsId", ST, to="forlop", blank=True),
        leaf("RettTilHelsehjelp", BOOLEAN, to="rett"),
        coded("UtfallAvVurdering", "utfall", 1),
        least=0,
    )
    return group("VurderingAvHenvisning", date, about, least=0, into="vurdering")


def payload() -> El:
    """The root element of the content."""
    package = group(
        "Pakkeforlop",
        coded("Pakkeforlopskode", "pakke", 1),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="pakkeforlop",
    )
    components = (
        _about_patient(),
        _relative(),
        connected_unit(),
        contact(),
        responsible(),
        sent_document(),
        kind_of_content(),
        _communication(),
        _plan(),
        _known(),
        _reviewed(),
    )
    return within(
        NS,
        group(
            "Henvisning",
            leaf("ServType", CS, to="handling", absent="N", codes="7309", must=("code",)),
            leaf("IssueDate", DATETIME, to={"at": "utstedt"}),
            status("PaymentCat", "betaling"),
            lines("ReqComment", "beskjed"),
            leaf("DocumentId", ST, to="dokument", blank=True),
            status("BasisForHealthServices", "grunnlag"),
            *(within(_PO, row) for row in components),
            precautions(True),
            *items(True),
            reasons(True),
            diagnoses(0),
            wanted(False, True),
            comments(True),
            _assessed(),
            package,
            consent(False, True),
        ),
    )
