"""Understands `digisos-soker.json` of Fiks Digisos: the table that reading, checking and writing follow.

Source: the JSON Schemas of the format (draft-06), of which this is our own account. An event has the parts
of its `type`; keys that the table does not name are passed over, as the format says.
"""

from __future__ import annotations

from adapters.digisos import DATE, FILE, FLAG, KONTO, MOMENT, NUMBER, TEXT, VERSION, code, ours, shaped
from adapters.json_profile import Group, Items, Part

BREV = Group((Part("referanse", FILE, required=True),))
VEDLEGG = Part(
    "vedlegg", Items(Group((Part("tittel", TEXT, required=True), Part("referanse", FILE, required=True))))
)
SAK = Part("saksreferanse", TEXT)
BESKRIVELSE, TITTEL = Part("beskrivelse", TEXT), Part("tittel", TEXT)
UTBETALINGER = Part("utbetalingsreferanse", Items(TEXT), name="utbetalingsreferanser")

EVENTS = {
    "tildeltNavKontor": (Part("navKontor", shaped("[0-9]{4}", "four digits", "fire sifre"), required=True),),
    "soknadsStatus": (
        Part(
            "status",
            code("MOTTATT", "UNDER_BEHANDLING", "FERDIGBEHANDLET", "BEHANDLES_IKKE"),
            required=True,
        ),
    ),
    "saksStatus": (
        Part("referanse", TEXT, required=True, name="saksreferanse"),
        TITTEL,
        Part("status", code("UNDER_BEHANDLING", "IKKE_INNSYN", "BEHANDLES_IKKE", "FEILREGISTRERT")),
    ),
    "vedtakFattet": (
        Part("saksreferanse", TEXT, required=True),
        Part("utfall", code("INNVILGET", "DELVIS_INNVILGET", "AVSLATT", "AVVIST")),
        Part("vedtaksfil", BREV, required=True),
        VEDLEGG,
    ),
    "dokumentasjonEtterspurt": (
        Part("forvaltningsbrev", BREV),
        VEDLEGG,
        Part(
            "dokumenter",
            Items(
                Group(
                    (
                        Part("dokumenttype", TEXT, required=True),
                        Part("tilleggsinformasjon", TEXT),
                        Part("innsendelsesfrist", MOMENT, required=True),
                        Part("dokumentreferanse", TEXT),
                    )
                )
            ),
            required=True,
        ),
    ),
    "forelopigSvar": (Part("forvaltningsbrev", BREV, required=True), VEDLEGG),
    "utbetaling": (
        Part("utbetalingsreferanse", TEXT, required=True),
        SAK,
        Part("rammevedtaksreferanse", TEXT),
        Part("status", code("PLANLAGT_UTBETALING", "UTBETALT", "STOPPET", "ANNULLERT")),
        Part("belop", NUMBER),
        BESKRIVELSE,
        Part("forfallsdato", DATE),
        Part("utbetalingsdato", DATE),
        Part("fom", DATE),
        Part("tom", DATE),
        Part("annenMottaker", FLAG),
        Part("mottaker", TEXT),
        Part("kontonummer", KONTO),
        Part("utbetalingsmetode", TEXT),
    ),
    "vilkar": (
        Part("vilkarreferanse", TEXT, required=True),
        SAK,
        UTBETALINGER,
        TITTEL,
        BESKRIVELSE,
        Part("status", code("RELEVANT", "ANNULLERT", "OPPFYLT", "IKKE_OPPFYLT")),
    ),
    "dokumentasjonkrav": (
        Part("dokumentasjonkravreferanse", TEXT, required=True),
        SAK,
        UTBETALINGER,
        TITTEL,
        BESKRIVELSE,
        Part("frist", MOMENT),
        Part("status", code("RELEVANT", "LEVERT_TIDLIGERE", "ANNULLERT", "OPPFYLT", "IKKE_OPPFYLT")),
    ),
    "rammevedtak": (
        Part("rammevedtaksreferanse", TEXT, required=True),
        SAK,
        BESKRIVELSE,
        Part("belop", NUMBER),
        Part("fom", DATE),
        Part("tom", DATE),
    ),
}

HENDELSE = Group(
    (Part("type", code(*EVENTS), required=True), Part("hendelsestidspunkt", MOMENT, required=True)),
    variants=EVENTS,
)

SOKER = Group(
    (
        Part("version", VERSION, required=True, name="versjon"),
        Part(
            "avsender",
            Group((Part("systemnavn", TEXT, required=True), Part("systemversjon", TEXT, required=True))),
            required=True,
        ),
        Part("hendelser", Items(HENDELSE, least=1), required=True),
        ours(person=(Part("id", TEXT, name="/person.id"), Part("navn", TEXT, name="/person.navn"))),
    )
)
