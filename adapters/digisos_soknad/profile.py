"""Understands `soknad.json` of Fiks Digisos: the table that reading, checking and writing follow.

Source: the JSON Schemas of the format (draft-06), of which this is our own account. Keys that it does not
name are passed over, as the format says.
"""

from __future__ import annotations

from adapters.digisos import (
    DATE,
    FLAG,
    GRADED,
    KONTO,
    MOMENT,
    NUMBER,
    TEXT,
    VERSION,
    WHOLE,
    code,
    ours,
    shaped,
)
from adapters.json_profile import Fixed, Group, Items, Leaf, Needs, Node, Only, Part

KILDE = code("bruker", "system", "utdatert")
BRUKER, SYSTEM = code("bruker", "utdatert"), code("system", "utdatert")
GRAD = code("heltid", "deltid")


def must(key: str, node: Node, name: str | None = None) -> Part:
    return Part(key, node, required=True, name=name)


def may(key: str, node: Node, name: str | None = None) -> Part:
    return Part(key, node, name=name)


def said(kilde: Leaf, value: Node, *more: Part, kilde_required: bool = True, required: bool = True) -> Group:
    """A value with who said it."""
    return Group((Part("kilde", kilde, kilde_required), Part("verdi", value, required), *more))


NAVN = (must("fornavn", TEXT), must("mellomnavn", TEXT), must("etternavn", TEXT))

ADRESSE = Group(
    (
        must("kilde", KILDE),
        must("type", code("gateadresse", "matrikkeladresse", "postboks", "ustrukturert")),
        may("adresseValg", code("folkeregistrert", "midlertidig", "soknad")),
    ),
    variants={
        "gateadresse": (
            may("landkode", TEXT),
            may("kommunenummer", TEXT),
            may("adresselinjer", Items(TEXT)),
            may("bolignummer", TEXT),
            may("postnummer", TEXT),
            may("poststed", TEXT),
            may("gatenavn", TEXT),
            may("husnummer", TEXT),
            may("husbokstav", TEXT),
        ),
        "matrikkeladresse": (
            may("kommunenummer", TEXT),
            may("gaardsnummer", TEXT),
            may("bruksnummer", TEXT),
            may("festenummer", TEXT),
            may("seksjonsnummer", TEXT),
            may("undernummer", TEXT),
        ),
        "postboks": (may("postboks", TEXT), may("postnummer", TEXT), may("poststed", TEXT)),
        "ustrukturert": (may("adresse", Items(TEXT)),),
    },
)

PERSONALIA = Group(
    (
        must(
            "personIdentifikator",
            Group((must("kilde", Fixed("system")), must("verdi", TEXT, "/person.id"))),
            "",
        ),
        must("navn", Group((*NAVN, must("kilde", Fixed("system"))))),
        may("statsborgerskap", said(KILDE, TEXT)),
        may("nordiskBorger", said(KILDE, FLAG)),
        may(
            "telefonnummer",
            said(KILDE, shaped(r"\+[0-9]+", "a telephone number with +", "et telefonnummer med +")),
        ),
        must("kontonummer", said(KILDE, KONTO, may("harIkkeKonto", FLAG), required=False)),
        may("folkeregistrertAdresse", ADRESSE),
        may("oppholdsadresse", ADRESSE),
        may("postadresse", ADRESSE),
        may("fodselsdato", DATE),
    )
)

ARBEID = Group(
    (
        may(
            "forhold",
            Items(
                Group(
                    (
                        must("kilde", KILDE),
                        must("arbeidsgivernavn", TEXT),
                        must("fom", DATE),
                        may("tom", DATE),
                        must("stillingsprosent", WHOLE),
                        may("stillingstype", code("variabel", "fast", "fastOgVariabel")),
                        must("overstyrtAvBruker", FLAG),
                    )
                )
            ),
        ),
        may("situasjon", Group((must("kilde", BRUKER), may("erIJobb", FLAG), may("jobbGrad", GRAD)))),
        may("kommentarTilArbeidsforhold", said(BRUKER, TEXT, kilde_required=False, required=False)),
    ),
    rules=(Needs("kommentarTilArbeidsforhold", "forhold"),),
)

SIVILSTATUS = Group(
    (
        must("kilde", KILDE),
        must("status", code("gift", "ugift", "samboer", "enke", "skilt", "separert")),
        may(
            "ektefelle",
            Group((must("navn", Group(NAVN)), may("fodselsdato", DATE), may("personIdentifikator", TEXT))),
        ),
        may("ektefelleHarDiskresjonskode", GRADED, "ektefelle_gradering"),
        may("folkeregistrertMedEktefelle", FLAG),
        may("borSammenMed", FLAG),
        may("borIkkeSammenMedBegrunnelse", TEXT),
    ),
    rules=(
        Needs("status", "ektefelle", ("gift",)),
        Only("ektefelle", "status", ("gift",)),
        Only("folkeregistrertMedEktefelle", "kilde", ("system",)),
        Only("ektefelleHarDiskresjonskode", "kilde", ("system",)),
        Only("borSammenMed", "kilde", ("bruker",)),
        Only("borIkkeSammenMedBegrunnelse", "kilde", ("bruker",)),
    ),
)

BARN = Group(
    (
        must("kilde", KILDE),
        must("navn", Group(NAVN)),
        may("fodselsdato", DATE),
        may("personIdentifikator", TEXT),
        may("harDiskresjonskode", GRADED, "gradering"),
    )
)

ANSVAR = Group(
    (
        may("barn", BARN),
        may("borSammenMed", said(BRUKER, FLAG)),
        may("erFolkeregistrertSammen", said(SYSTEM, FLAG)),
        may("harDeltBosted", said(BRUKER, FLAG)),
        may("samvarsgrad", said(BRUKER, WHOLE)),
    )
)

FAMILIE = Group(
    (
        may("sivilstatus", SIVILSTATUS),
        may(
            "folkeregistrertMedEktefelleAvviksforklaring",
            said(BRUKER, TEXT, required=False),
            "avviksforklaring",
        ),
        must(
            "forsorgerplikt",
            Group(
                (
                    may("harForsorgerplikt", said(KILDE, FLAG, kilde_required=False, required=False)),
                    may(
                        "barnebidrag",
                        said(
                            BRUKER,
                            code("betaler", "mottar", "begge", "ingen"),
                            kilde_required=False,
                            required=False,
                        ),
                    ),
                    may("ansvar", Items(ANSVAR)),
                )
            ),
        ),
    ),
    rules=(
        Needs("folkeregistrertMedEktefelleAvviksforklaring", "sivilstatus"),
        Only("folkeregistrertMedEktefelleAvviksforklaring", "sivilstatus.kilde", ("system",)),
    ),
)

_POST = (must("kilde", KILDE), must("type", TEXT), must("tittel", TEXT))
_OVERSTYRT = must("overstyrtAvBruker", FLAG)

UTBETALING = Group(
    (
        *_POST,
        may(
            "organisasjon",
            Group(
                (
                    must("navn", TEXT),
                    must(
                        "organisasjonsnummer",
                        shaped("[0-9]{9}", "nine digits", "ni sifre"),
                    ),
                )
            ),
        ),
        may("belop", WHOLE),
        may("netto", NUMBER),
        may("brutto", NUMBER),
        may("skattetrekk", NUMBER),
        may("andreTrekk", NUMBER),
        may("utbetalingsdato", DATE),
        may("periodeFom", DATE),
        may("periodeTom", DATE),
        may(
            "komponenter",
            Items(
                Group(
                    (
                        may("type", TEXT),
                        may("belop", NUMBER),
                        may("satsType", TEXT),
                        may("satsAntall", NUMBER),
                        may("satsBelop", NUMBER),
                    )
                )
            ),
        ),
        _OVERSTYRT,
        may("mottaker", code("Husstand", "Kommune")),
    )
)
UTGIFT = Group((*_POST, may("belop", WHOLE), _OVERSTYRT))

OPPLYSNINGER = Group(
    (
        may("bekreftelse", Items(Group((*_POST, may("verdi", FLAG), may("bekreftelsesDato", MOMENT))))),
        may(
            "beskrivelseAvAnnet",
            Group(
                (
                    must("kilde", BRUKER),
                    must("verdi", TEXT),
                    must("sparing", TEXT),
                    must("utbetaling", TEXT),
                    must("boutgifter", TEXT),
                    must("barneutgifter", TEXT),
                )
            ),
        ),
        must("utbetaling", Items(UTBETALING)),
        may("utgift", Items(UTGIFT)),
        may(
            "bostotte",
            Group(
                (
                    may(
                        "saker",
                        Items(
                            Group(
                                (
                                    must("kilde", SYSTEM),
                                    must("type", TEXT),
                                    must("dato", DATE),
                                    must("status", TEXT),
                                    may("beskrivelse", TEXT),
                                    may("vedtaksstatus", code("INNVILGET", "AVSLAG", "AVVIST")),
                                )
                            )
                        ),
                    ),
                )
            ),
        ),
    )
)

OVERSIKT = Group(
    (
        must("inntekt", Items(Group((*_POST, may("brutto", WHOLE), may("netto", WHOLE), _OVERSTYRT)))),
        may("utgift", Items(UTGIFT)),
        may("formue", Items(UTGIFT)),
    )
)

DATA = Group(
    (
        may("soknadstype", code("kort", "standard")),
        must("personalia", PERSONALIA),
        may("arbeid", ARBEID),
        may("utdanning", Group((may("kilde", KILDE), may("erStudent", FLAG), may("studentgrad", GRAD)))),
        may("familie", FAMILIE),
        must(
            "begrunnelse", Group((must("kilde", BRUKER), may("hvorforSoke", TEXT), must("hvaSokesOm", TEXT)))
        ),
        may(
            "situasjonendring",
            Group((must("kilde", BRUKER), must("harNoeEndretSeg", FLAG), may("hvaHarEndretSeg", TEXT))),
        ),
        may(
            "bosituasjon",
            Group(
                (
                    may("kilde", BRUKER),
                    may(
                        "botype",
                        code(
                            *("eier", "leier", "kommunal", "ingen", "institusjon", "krisesenter", "fengsel"),
                            *("venner", "foreldre", "familie", "annet"),
                        ),
                    ),
                    may("antallPersoner", WHOLE),
                )
            ),
        ),
        must("okonomi", Group((must("opplysninger", OPPLYSNINGER), may("oversikt", OVERSIKT)))),
    )
)

SOKNAD = Group(
    (
        must("version", VERSION, "versjon"),
        must("data", DATA, ""),
        may("innsendingstidspunkt", MOMENT),
        must(
            "mottaker",
            Group((may("kommunenummer", TEXT), may("enhetsnummer", TEXT), may("navEnhetsnavn", TEXT))),
        ),
        must(
            "driftsinformasjon",
            Group(
                (
                    may("utbetalingerFraNavFeilet", FLAG),
                    must("inntektFraSkatteetatenFeilet", FLAG),
                    may("stotteFraHusbankenFeilet", FLAG),
                )
            ),
        ),
        must(
            "kompatibilitet",
            Items(Group((may("minVersion", TEXT), may("maxVersion", TEXT), may("text", TEXT)))),
        ),
        ours(person=(Part("navn", TEXT, name="/person.navn"),)),
    )
)
