"""Understands what a Dialogmelding holds, 1.0 and 1.1: requests or notes, and who stood behind them."""

from __future__ import annotations

from adapters.kith.datatypes import ANY, ANY_OR_STRING, CS, DATE, ST
from adapters.kith.parts import coded, lines, person_rows, professional_rows, unit
from adapters.kith.tables import MANY, El, OneOf, Row, group, leaf, one_of, within

NS_1_0 = "http://www.kith.no/xmlstds/dialog/2006-10-11"
NS_1_1 = "http://www.kith.no/xmlstds/dialog/2013-01-23"


def _who(least: int) -> OneOf:
    """The local types: as in felleskomponent1, but a plain person has the given name first."""
    return one_of(
        group("HealthcareProfessional", *professional_rows(), into="behandler"),
        group("Person", *person_rows(given_first=True), into="person"),
        least=least,
    )


def _role(new: bool) -> El:
    connected: tuple[Row, ...] = ()
    if new:
        inside = (unit("Kontaktenhet", "enhet"), lines("Merknad", "merknad"), _who(0))
        connected = (group("TilknyttetEnhet", *inside, least=0, into="tilknyttet"),)
    return group(
        "RollerRelatertNotat",
        coded("RolleNotat", "rolle"),
        coded("RoleToPatient", "pasientrolle"),
        *connected,
        _who(0 if new else 1),
        least=0,
        most=MANY,
        into="roller",
    )


def _request(new: bool, into: str, most: int) -> El:
    text: tuple[Row, ...] = (lines("Sporsmal", "sporsmal"),)
    journal: tuple[Row, ...] = (coded("TypeJournalinfo", "journalinfo", listed=True),)
    if new:
        text = (lines("EmneSporsmal", "emne"), leaf("Sporsmal", ANY, 0, to="sporsmal"))
        journal = (coded("TypeJournalinfo", "journalinfo", 0, MANY), coded("KodetOpplysning", "opplysning"))
    return group(
        "Foresporsel",
        coded("TypeForesp", "type", 1),
        *text,
        coded("Formål", "formal"),
        lines("Begrunnelse", "begrunnelse"),
        leaf("Hastegrad", CS, 0, to="hastegrad"),
        leaf("FraDato", DATE, 0, to="fra"),
        leaf("TilDato", DATE, 0, to="til"),
        *journal,
        leaf("DokIdForesp", ST, 0, to="dokument"),
        _role(new),
        least=0,
        most=most,
        into=into,
    )


def _note(new: bool) -> El:
    return group(
        "Notat",
        coded("TemaKodet", "tema", 1),
        lines("Tema", "overskrift"),
        leaf("TekstNotatInnhold", ANY if new else ANY_OR_STRING, 0, to="tekst"),
        lines("Merknad", "merknad"),
        leaf("DokIdNotat", ST, 0, to="dokument"),
        leaf("DatoNotat", DATE, 0, to="dato"),
        _request(new, "foresporsel", 1),
        _role(new),
        least=0,
        most=MANY,
        into="notater",
    )


def payload(namespace: str) -> El:
    """The root element of the content, in the version of this namespace."""
    new = namespace == NS_1_1
    return within(
        namespace,
        group(
            "Dialogmelding",
            coded("SakstypeKodet", "sakstype"),
            leaf("Sakstype", ST, 0, to="sak"),
            one_of(_request(new, "foresporsler", MANY), _note(new), least=0),
        ),
    )
