"""Understands what stands around the contents of a care message: the sending, the patient, who is concerned.

`new` is 1.6; what 1.5 lacks is left out. The elements are those of poKomponent; henvisning has some too.
"""

from __future__ import annotations

from adapters.kith.datatypes import BOOLEAN, CS, DATE, INTEGER, ST, TS, YEAR
from adapters.kith.datatypes import DATETIME as MOMENT
from adapters.kith.datatypes import DOUBLE as NUMBER
from adapters.kith.parts import coded, lines, person, professional, status, unit
from adapters.kith.tables import MANY, El, group, leaf, one_of


def sending() -> El:
    """7309: N is new, M changed, C taken back. `forbehold_videresending` says that nobody may pass it on;
    what goes through here says so too."""
    request = group(
        "Foresporsel",
        coded("TypeForesp", "type", 1),
        coded("Formål", "formal"),
        status("Hastegrad", "hastegrad"),
        coded("TypeJournalinfo", "journalinfo"),
        lines("Sporsmal", "sporsmal"),
        lines("Begrunnelse", "begrunnelse"),
        leaf("FraDato", DATE, 0, to="fra"),
        leaf("TilDato", DATE, 0, to="til"),
        leaf("RefDokIdForesp", ST, 0, to="dokument"),
        least=0,
        into="foresporsel",
    )
    return group(
        "InformasjonOmForsendelsen",
        leaf("Forsendelsesstatus", CS, to="status", codes="7309", must=("code",)),
        leaf("ForbeholdOmVideresending", BOOLEAN, 0, to="forbehold_videresending"),
        leaf("SvarPaaForesporsel", BOOLEAN, 0, to="svar_pa_foresporsel"),
        request,
        into="forsendelse",
    )


def about_patient() -> El:
    return group(
        "TilleggsopplysningPasient",
        status("SivilStatus", "sivilstatus"),
        leaf("BorAlene", BOOLEAN, 0, to="bor_alene"),
        status("Sprak", "sprak"),
        least=0,
        into="pasient",
    )


def relative(new: bool, into: str = "parorende") -> El:
    year = (leaf("FodselsarMindrearigParorende", YEAR, 0, to="fodselsar"),) if new else ()
    return group(
        "ParorendeForesatt",
        status("Slektskap", "slektskap"),
        status("Omsorgsfunksjon", "omsorg"),
        *year,
        person("Referanseperson", "person"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into=into,
    )


def connected_unit() -> El:
    return group(
        "TilknyttetEnhet",
        unit("Kontaktenhet", "enhet"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="tilknyttede_enheter",
    )


def contact() -> El:
    return group(
        "KontaktpersonHelsepersonell",
        professional("Kontaktperson", "behandler"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="kontaktpersoner",
    )


def responsible() -> El:
    return group(
        "AnsvarForRapport",
        professional("AnsvarligRapport", "behandler"),
        leaf("GodkjentDato", DATE, 0, to="godkjent"),
        coded("TypeRelasjon", "relasjon"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="ansvarlige",
    )


def sent_document() -> El:
    return group(
        "SendtDokument",
        coded("Opplysning", "opplysning", 1),
        leaf("JaNei", BOOLEAN, to="sendt"),
        leaf("DatoSendt", DATE, 0, to="dato"),
        coded("TypeMottaker", "mottakertype"),
        leaf("NavnMottaker", ST, 0, to="mottaker"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="sendte_dokumenter",
    )


def head(new: bool) -> tuple[El, ...]:
    """What all the messages begin with."""
    return (
        sending(),
        about_patient(),
        relative(new),
        connected_unit(),
        contact(),
        responsible(),
        sent_document(),
    )


def kind_of_content() -> El:
    return group(
        "TypeInnholdIMelding",
        coded("TypeInnhold", "type", 1),
        lines("Merknad", "merknad"),
        into="innhold",
    )


def stay(least: int) -> El:
    event = group(
        "TidsfestetHendelse",
        coded("Hendelsekode", "hendelse"),
        lines("BeskrivelseAvHendelse", "beskrivelse"),
        leaf("TidspunktForHendelse", TS, to={"V": "tidspunkt"}, blank=True),
        leaf("Anslag", BOOLEAN, to="anslag"),
        lines("Merknad", "merknad"),
        group("StedForHendelse", leaf("StedHendelse", ST, to="sted", blank=True), least=0),
    )
    return group("OpplysningOpphold", event, least=least, most=MANY, into="opphold")


def to_application(least: int) -> El:
    return group(
        "OpplysningerTilSoknad",
        leaf("EgensoknadSendt", BOOLEAN, to="egensoknad_sendt"),
        lines("Merknad", "merknad"),
        least=least,
        into="soknad",
    )


def consultation() -> El:
    return group(
        "InnholdKonsultasjon",
        status("TypeInnholdKonsultasjon", "type", 1),
        lines("Merknad", "merknad"),
        least=0,
        into="konsultasjon",
    )


def needed_service() -> El:
    return group(
        "TjenesteBehov",
        coded("IPLOStjenestetype", "tjeneste"),
        lines("BetegnelseTjeneste", "betegnelse"),
        leaf("VedInstitusjon", ST, 0, to="institusjon"),
        lines("BeskrivelseAvTjeneste", "beskrivelse"),
        leaf("AntallEnheterOnsket", NUMBER, 0, to="antall"),
        leaf("Enhet", ST, 0, to="enhet"),
        least=0,
        most=MANY,
        into="tjenestebehov",
    )


def service() -> El:
    return group(
        "EksisterendeTjeneste",
        coded("IPLOStjenestetype", "tjeneste"),
        lines("BetegnelseTjeneste", "betegnelse"),
        leaf("PrivatTjeneste", BOOLEAN, to="privat"),
        leaf("TjenestenLevertAv", ST, 0, to="levert_av"),
        lines("OpplysningerOmTjenesten", "beskrivelse"),
        leaf("AntallEnheter", NUMBER, 0, to="antall"),
        leaf("Enhet", ST, 0, to="enhet"),
        leaf("Startdato", DATE, 0, to="fra"),
        leaf("Sluttdato", DATE, 0, to="til"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="tjenester",
    )


def informed(new: bool) -> El:
    one = group(
        "InformasjonGitt",
        coded("TypeInformasjon", "type"),
        lines("BeskrivelseInformasjon", "beskrivelse"),
        leaf("MuntligInformasjon", BOOLEAN, 0 if new else 1, to="muntlig"),
        person("InformasjonGittTil", "gitt_til"),
        leaf("InformasjonGittDato", DATE, to="dato"),
        professional("InformasjonGittAv", "gitt_av"),
        most=MANY,
        into="informasjon",
    )
    return group("InfoInformasjonGitt", one, least=0, most=MANY)


def communication(name: str = "InfoAssistertKommunikasjon") -> El:
    inside = assisted(1)
    return group(name, inside, least=0, most=MANY, into="kommunikasjon")


def assisted(least: int, most: int = 1, into: str = "") -> El:
    return group(
        "AssistertKommunikasjon",
        person("PersonTolkebehov", "person", 0),
        leaf("Horselsvikt", BOOLEAN, 0, to="horselsvikt"),
        leaf("Synsvikt", BOOLEAN, 0, to="synsvikt"),
        status("BehovTolkSprak", "tolk"),
        person("PreferertTolk", "tolkperson", 0),
        leaf("BehovOpphortDato", TS, 0, to={"V": "opphort"}),
        lines("Merknad", "merknad"),
        least=least,
        most=most,
        into=into,
    )


def reservation() -> El:
    """That the patient objects to something: carried as it is said, for whoever receives it to honour."""
    one = group(
        "ReservasjonOnske",
        lines("Gjelder", "gjelder", 1),
        person("FramsattAv", "framsatt_av"),
        leaf("FramsattDato", DATE, to="framsatt"),
        person("TrukketTilbakeAv", "trukket_av", 0),
        leaf("TrukketTilbakeDato", DATE, 0, to="trukket"),
        lines("Merknad", "merknad"),
        most=MANY,
        into="reservasjoner",
    )
    return group("InfoReservasjon", one, least=0, most=MANY)


def _told() -> El:
    return group(
        "InformertOm",
        leaf("PasientInformert", BOOLEAN, to="pasient_informert"),
        leaf("ParorendeInformert", BOOLEAN, to="parorende_informert"),
        least=0,
    )


def control(new: bool) -> El:
    booked = group(
        "InformasjonOmTime",
        leaf("BestiltKontrolltime", BOOLEAN, to="bestilt"),
        leaf("TidspunktTime", MOMENT, 0, to="tidspunkt"),
        leaf("Varighet", INTEGER, 0, to="varighet"),
        leaf("StedTime", ST, 0, to="sted"),
        _told(),
        into="time",
    )
    to_book = group(
        "KontrolltimeBestill",
        leaf("PasientParorendeBestiller", BOOLEAN, to="pasienten_bestiller"),
        _told(),
        into="bestilles",
    )
    perhaps = group(
        "InformasjonOmTentativTime",
        leaf("TentativtTidspunktTime", ST, 0, to="tidspunkt"),
        leaf("StedTime", ST, 0, to="sted"),
        lines("Merknad", "merknad"),
        _told(),
        into="tentativ",
    )
    choice = one_of(booked, to_book, *((perhaps,) if new else ()))
    return group("InfoKontrolltime", choice, least=0, most=MANY, into="kontrolltimer")


def aids() -> El:
    kept = group(
        "FasteHjelpemidler",
        status("Briller", "briller"),
        status("HjelpemiddelHorsel", "horsel"),
        leaf("Pacemaker", BOOLEAN, 0, to="pacemaker"),
        lines("Merknad", "merknad"),
        least=0,
        most=MANY,
        into="faste",
    )
    state = group(
        "StatusHjelpemiddel",
        status("Status", "status", 1),
        group(
            "Hjelpemiddelbeskrivelse",
            leaf("Sekvensnummer", INTEGER, 0, to="nummer"),
            coded("HjelpemiddelkodeRTV", "hjelpemiddel"),
            leaf("BetegnelseHjelpemiddel", ST, to="betegnelse", blank=True),
        ),
        least=0,
        most=MANY,
        into="status",
    )
    return group("OpplysningerOmHjelpemidler", kept, state, least=0, into="hjelpemidler")
