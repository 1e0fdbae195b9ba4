"""Understands everything that can go wrong, by code: the only place where a code is born.

`<step>.<reason>` says how far the message came. `actor` says who must do something, `waiting_helps`
whether time heals it, `title` is one sentence without a word from any message. The same code goes
into the HTTP answer, the receipt, the audit, the console and `docs/errors.md`. A code never changes
meaning. This module imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.bokmaal import in_bokmaal


class Actor(StrEnum):
    """Who has to act."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    PERSON = "person"
    CASEWORKER = "caseworker"
    OPERATIONS = "operations"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Problem:
    """One row of the table. `status` is the HTTP status it has at the REST door."""

    code: str
    actor: Actor
    waiting_helps: bool
    status: int
    title: str
    nb: str


@dataclass(frozen=True)
class Finding:
    """One fault in a message: where, which rule, what was expected. Never the value.

    `at` is a path without values (`bolig.behov`, `/Kartlegging/Bolig`); `line` and `column` are
    1-based and only there for text formats. `expected` is English, `nb` the same in bokmål where
    whoever found it says it; `in_bokmaal` is what to show.
    """

    at: str
    rule: str
    expected: str
    line: int | None = None
    column: int | None = None
    nb: str | None = None

    @property
    def in_bokmaal(self) -> str | None:
        """`nb`, or the bokmål of `expected`, which every sentence of ours has (`hub/bokmaal.tsv`). For one of
        an adapter from elsewhere: what can be said of the rule alone, or None where `RULES_NB` lacks it."""
        return self.nb or in_bokmaal(self.expected) or RULES_NB.get(self.rule)

    def said(self, language: str) -> str:
        """What was expected, in `nb` or `en`; in English where there is no bokmål."""
        return (self.in_bokmaal or self.expected) if language == "nb" else self.expected

    def plain(self) -> dict[str, str | int | None]:
        """As JSON, in both languages."""
        return {
            "at": self.at,
            "rule": self.rule,
            "expected": self.expected,
            "expected_nb": self.in_bokmaal,
            "line": self.line,
            "column": self.column,
        }


RULES_NB: Mapping[str, str] = {
    "missing": "et felt som må være med",
    "required": "et felt som må være med",
    "unknown-field": "bare felter som denne meldingstypen har",
    "unknown-key": "bare nøkler som hører hjemme her",
    "type": "en verdi av riktig slag (tekst, tall, sann/usann, liste eller gruppe)",
    "code": "en kode fra listen for dette feltet",
    "empty": "et innhold, eller at feltet utelates",
    "too-long": "et kortere innhold",
    "length": "et annet antall elementer, eller at feltet utelates",
    "range": "en verdi innenfor grensene for dette feltet",
    "pattern": "en verdi med den formen som feltet krever",
    "format": "en verdi med den formen som feltet krever",
    "control-character": "tekst uten styretegn",
    "date": "en dato som finnes, skrevet ÅÅÅÅ-MM-DD",
    "datetime": "et tidspunkt som finnes, skrevet ÅÅÅÅ-MM-DDTTT:MM:SS med tidssone",
    "checksum": "et nummer med gyldige kontrollsifre",
    "encoding": "tekst i et tegnsett som formatet tillater",
    "well-formed": "et velformet dokument",
    "unique-key": "hver nøkkel bare én gang",
    "root": "et rotelement som huben kjenner",
    "order": "elementene i den rekkefølgen som formatet krever",
    "attribute": "bare attributter som formatet har",
    "doctype": "et dokument uten DOCTYPE",
    "depth": "et dokument med færre nivåer",
    "nodes": "et dokument med færre deler",
    "media-type": "en medietype som huben leser",
    "parameter": "en gyldig verdi for denne parameteren",
    "datatype": "en verdi av den datatypen som FHIR har her",
    "unknown-element": "bare elementer som formatet har her",
    "not-read": "ingenting her, eller noe huben kan formidle",
    "extension": "bare utvidelser som kan utelates",
    "contained": "en egen oppføring (entry) for denne ressursen",
    "reference": "en henvisning til en ressurs i meldingen",
    "unreached": "bare ressurser som en annen ressurs viser til",
    "value": "en verdi som kan stå her",
    "final": "en endelig epikrise som ikke er trukket tilbake",
}
"""What was expected, by rule, where an adapter from elsewhere said it in English words that
`hub/bokmaal.tsv` does not have. Less than the English sentence, which names codes and limits."""


class HubError(Exception):
    """A refusal by code. Carries no value of the message, so it may be shown to anyone."""

    def __init__(self, code: str, findings: Iterable[Finding] = ()) -> None:
        self.problem = PROBLEMS[code]
        self.findings = tuple(findings)
        super().__init__(code)

    @property
    def code(self) -> str:
        return self.problem.code


def _table(*problems: Problem) -> dict[str, Problem]:
    table: dict[str, Problem] = {}
    for problem in problems:
        if problem.code in table:
            raise ValueError(f"code written twice: {problem.code}")
        table[problem.code] = problem
    return table


_S, _R, _P, _C, _O, _N = (
    Actor.SENDER,
    Actor.RECIPIENT,
    Actor.PERSON,
    Actor.CASEWORKER,
    Actor.OPERATIONS,
    Actor.NOBODY,
)

PROBLEMS = _table(
    Problem("receive.unauthenticated", _S, False, 401,
            "The token is missing, expired, or not from the issuer the hub trusts.",
            "Tokenet mangler, er utløpt, eller kommer ikke fra utstederen huben stoler på."),
    Problem("receive.scope-missing", _S, False, 403,
            "The token does not carry the scope that this call needs.",
            "Tokenet mangler tilgangen (scope) som kallet krever."),
    Problem("receive.agency-unknown", _S, False, 403,
            "The organisation in the token is not in the hub's directory.",
            "Organisasjonen i tokenet står ikke i hubens katalog."),
    Problem("receive.too-large", _S, False, 413,
            "The body is larger than the hub accepts.",
            "Innholdet er større enn huben tar imot."),
    Problem("receive.duplicate-id", _S, False, 409,
            "This message id was used before with other content; use a new id.",
            "Meldings-id-en er brukt før med annet innhold; bruk en ny id."),
    Problem("receive.request-invalid", _S, False, 400,
            "The request is not one that this address understands.",
            "Forespørselen er ikke en som denne adressen forstår."),
    Problem("receive.not-found", _S, False, 404,
            "There is nothing for you at this address.",
            "Det er ikke noe til dere på denne adressen."),
    Problem("receive.expired", _S, False, 410,
            "The time the message was good for had passed when it came.",
            "Tiden meldingen gjaldt for var ute da den kom."),
    Problem("receive.busy", _N, True, 503,
            "The hub cannot store the message now; send it again with the same id.",
            "Huben kan ikke lagre meldingen nå; send den igjen med samme id."),
    Problem("parse.format-unknown", _S, False, 415,
            "No adapter reads this format.",
            "Ingen adapter leser dette formatet."),
    Problem("parse.malformed", _S, False, 400,
            "The message is not well formed.",
            "Meldingen er ikke velformet."),
    Problem("parse.forbidden-construct", _S, False, 400,
            "The message uses a construct that is refused for safety (DTD, entity, too deep, too many parts).",
            "Meldingen bruker en konstruksjon som avvises av sikkerhetsgrunner (DTD, entitet, for dyp, for mange deler)."),
    Problem("parse.invalid", _S, False, 422,
            "Fields are missing or wrong; every finding is listed.",
            "Felter mangler eller er feil; alle funn er listet."),
    Problem("route.type-not-yours", _S, False, 403,
            "Your sector may not send this message type.",
            "Deres sektor kan ikke sende denne meldingstypen."),
    Problem("route.agreement-missing", _S, False, 422,
            "No agreement covers this message type from your sector.",
            "Ingen avtale dekker denne meldingstypen fra deres sektor."),
    Problem("route.recipient-unknown", _S, False, 422,
            "The addressed recipient is not in the directory, or has no agreement for this.",
            "Den adresserte mottakeren står ikke i katalogen, eller har ingen avtale for dette."),
    Problem("route.reference-unknown", _S, False, 422,
            "The message answers something that you have not received.",
            "Meldingen svarer på noe dere ikke har mottatt."),
    Problem("route.all-asked", _O, False, 200,
            "Every office of the municipality that was named has had this request; it went no further.",
            "Alle kontorene i kommunen som ble nevnt, har hatt denne forespørselen; den gikk ikke videre."),
    Problem("route.asker-unknown", _O, False, 200,
            "Whoever asked is not in the directory any more; the request went no further.",
            "Den som spurte, står ikke lenger i katalogen; forespørselen gikk ikke videre."),
    Problem("route.move-not-allowed", _S, False, 409,
            "The request cannot move so from where it stands; every move that it can is listed.",
            "Forespørselen kan ikke flyttes slik fra der den står; alle lovlige trekk er listet."),
    Problem("route.version-used", _S, False, 409,
            "This version of the series was sent before; use a higher one.",
            "Denne versjonen av serien er sendt før; bruk en høyere."),
    Problem("route.superseded", _N, False, 200,
            "A newer version from the same sender is already in force.",
            "En nyere versjon fra samme avsender gjelder allerede."),
    Problem("decide.no-row", _O, False, 403,
            "No reviewed policy row allows this category between these sectors for this purpose.",
            "Ingen gjennomgått regel tillater denne kategorien mellom disse sektorene til dette formålet."),
    Problem("decide.no-request", _R, True, 403,
            "The policy row speaks only on request, and no request of the recipient is on file.",
            "Regelen gjelder bare på anmodning, og det er ikke registrert noen anmodning fra mottakeren."),
    Problem("decide.not-registered-gp", _C, True, 403,
            "The recipient is not recorded as the person's registered GP now.",
            "Mottakeren er ikke registrert som personens fastlege nå."),
    Problem("decide.prohibited", _N, False, 403,
            "A policy row forbids it whatever anyone consents to.",
            "En regel forbyr det uansett samtykke."),
    Problem("decide.no-consent", _P, True, 403,
            "The person has given no consent that covers this.",
            "Personen har ikke gitt noe samtykke som dekker dette."),
    Problem("decide.consent-mismatch", _P, True, 403,
            "There are consents, but none covers this category, recipient, purpose and moment.",
            "Det finnes samtykker, men ingen dekker denne kategorien, mottakeren, formålet og tidspunktet."),
    Problem("decide.refused", _P, False, 403,
            "The person has refused this.",
            "Personen har nektet dette."),
    Problem("decide.withdrawn", _P, False, 403,
            "The consent that covered this was withdrawn.",
            "Samtykket som dekket dette er trukket."),
    Problem("decide.objection", _P, False, 403,
            "The person has objected to this.",
            "Personen har motsatt seg dette."),
    Problem("decide.expired", _P, True, 403,
            "The consent that covered this has run out.",
            "Samtykket som dekket dette, er utløpt."),
    Problem("decide.not-yet", _N, True, 403,
            "The consent that covers this has not begun.",
            "Samtykket som dekker dette, gjelder ikke ennå."),
    Problem("decide.not-active", _P, True, 403,
            "The consent that would cover this is a draft, or not in force any more.",
            "Samtykket som ville dekket dette, er et utkast eller gjelder ikke lenger."),
    Problem("decide.form-missing", _P, True, 403,
            "The consent that covers this is not in the form that the policy row demands.",
            "Samtykket som dekker dette, har ikke den formen regelen krever."),
    Problem("decide.grantor", _P, True, 403,
            "The consent that covers this was given by somebody who may not give it for the person.",
            "Samtykket som dekker dette, er gitt av en som ikke kan gi det for personen."),
    Problem("decide.text-not-approved", _P, True, 403,
            "The consent that covers this was given on a text that was not approved at the time.",
            "Samtykket som dekker dette, ble gitt på en tekst som ikke var godkjent da."),
    Problem("decide.exception", _P, False, 403,
            "The person's consent makes an exception for this.",
            "Samtykket fra personen gjør unntak for dette."),
    Problem("decide.conflict", _C, False, 403,
            "The person has both allowed and refused this; the refusal counts until the person has been asked.",
            "Personen har både tillatt og nektet dette; nektelsen gjelder til personen er spurt."),
    Problem("decide.other-person", _C, True, 403,
            "It tells of somebody else, too, who has not allowed it.",
            "Det forteller også om en annen, som ikke har tillatt det."),
    Problem("decide.override-refused", _C, False, 403,
            "Somebody tried to set the person's no aside where no row allows it, or not in the form it demands.",
            "Noen forsøkte å sette personens nei til side der ingen regel tillater det, eller ikke i den formen den krever."),
    Problem("decide.register-unavailable", _O, True, 403,
            "The consent register could not be read, so nothing is permitted.",
            "Samtykkeregisteret kunne ikke leses, derfor tillates ingenting."),
    Problem("decide.waited-out", _N, False, 403,
            "It has waited for a consent as long as its policy row allows.",
            "Det har ventet på samtykke så lenge regelen tillater."),
    Problem("decide.unreadable", _C, True, 403,
            "A consent of the person cannot be evaluated, so nothing is permitted.",
            "Et samtykke fra personen kan ikke vurderes, derfor tillates ingenting."),
    Problem("decide.unknown-category", _C, False, 403,
            "The content could not be classified with certainty.",
            "Innholdet kunne ikke klassifiseres sikkert."),
    Problem("decide.free-text-unread", _C, True, 403,
            "Free text to a recipient outside health care goes only after a person has read it.",
            "Fritekst til mottaker utenfor helsetjenesten går bare etter at et menneske har lest den."),
    Problem("decide.free-text-hit", _C, True, 403,
            "Free text seems to tell something that the recipient may not know; a person has to read it.",
            "Friteksten ser ut til å fortelle noe mottakeren ikke kan få vite; et menneske må lese den."),
    Problem("decide.protected-address", _C, False, 403,
            "The person has a graded address: no automatic message at all.",
            "Personen har gradert adresse: ingen automatiske meldinger."),
    Problem("decide.deceased", _C, False, 403,
            "The person is registered as deceased: no automatic message at all.",
            "Personen er registrert som død: ingen automatiske meldinger."),
    Problem("decide.person-unidentified", _C, True, 403,
            "It is not known whose number the patient has: two at the identity desk must say so.",
            "Det er ikke kjent hvilket nummer pasienten har: to ved identitetsskranken må si det."),
    Problem("decide.essential-missing", _N, True, 403,
            "What may go is not enough for a meaningful message.",
            "Det som kan sendes er ikke nok til en meningsfull melding."),
    Problem("decide.not-told", _N, False, 200,
            "The recipient got nothing that this is about.",
            "Mottakeren har ikke fått noe som dette gjelder."),
    Problem("decide.returned", _S, False, 403,
            "A reader sent it back: the text fields must be written anew before they can go.",
            "En leser har sendt det tilbake: tekstfeltene må skrives på nytt før de kan sendes."),
    Problem("decide.reader-refused", _N, False, 403,
            "A reader found that it must not go.",
            "En leser har funnet at det ikke skal sendes."),
    Problem("decide.row", _N, False, 200,
            "A reviewed policy row allows it.",
            "En gjennomgått regel tillater det."),
    Problem("decide.consent", _N, False, 200,
            "A consent of the person covers it.",
            "Et samtykke fra personen dekker det."),
    Problem("decide.overridden", _N, False, 200,
            "The person's objection was set aside, as a reviewed policy row allows, by two persons.",
            "Innsigelsen fra personen ble satt til side av to personer, slik en gjennomgått regel tillater."),
    Problem("consent.not-evaluable", _C, False, 422,
            "The consent says something that cannot be evaluated exactly; every finding is listed.",
            "Samtykket sier noe som ikke kan vurderes nøyaktig; alle funn er listet."),
    Problem("consent.form-missing", _C, False, 422,
            "The consent lacks what its form requires (signature, explanation, approved text).",
            "Samtykket mangler det formen krever (underskrift, forklaring, godkjent tekst)."),
    Problem("consent.recorder-control", _C, False, 422,
            "A consent to share substance-use information cannot be collected by a control role.",
            "Et samtykke til å dele rusopplysninger kan ikke innhentes av en kontrollrolle."),
    Problem("consent.programme-only", _C, False, 422,
            "Consent to a programme or sanction is not consent to share.",
            "Samtykke til et program eller en straff er ikke samtykke til deling."),
    Problem("consent.unknown", _C, False, 422,
            "There is no such consent.",
            "Det finnes ikke noe slikt samtykke."),
    Problem("consent.version-old", _C, False, 409,
            "A newer version of this consent is already recorded.",
            "En nyere versjon av dette samtykket er allerede registrert."),
    Problem("request.invalid", _C, False, 422,
            "The request for information cannot be recorded as it stands; every finding is listed.",
            "Anmodningen kan ikke registreres slik den står; alle funn er listet."),
    Problem("request.unknown", _C, False, 404,
            "There is no such request about this person that still stands.",
            "Det finnes ingen slik anmodning om denne personen som fortsatt gjelder."),
    Problem("hold.not-found", _C, False, 404,
            "There is no hold with this id that you may read.",
            "Det finnes ingen sak med denne id-en som du kan lese."),
    Problem("hold.reader-unknown", _C, False, 403,
            "This name and key do not belong to a reader of this installation.",
            "Navnet og nøkkelen tilhører ingen leser i denne installasjonen."),
    Problem("hold.unread", _C, False, 409,
            "You have not read what stands there now; read it first, then answer.",
            "Du har ikke lest det som står der nå; les det først, og svar så."),
    Problem("hold.changed", _C, False, 409,
            "The proposal was about other content than what stands there now; it must be made again.",
            "Forslaget gjaldt et annet innhold enn det som står der nå; det må lages på nytt."),
    Problem("hold.second-person", _C, False, 409,
            "It takes another person than the one who proposed it.",
            "Det må en annen person til enn den som foreslo det."),
    Problem("hold.nothing-proposed", _C, False, 409,
            "Nothing is proposed here that could be confirmed.",
            "Det er ikke foreslått noe her som kan bekreftes."),
    Problem("hold.invalid", _C, False, 422,
            "The answer does not fit the hold; every finding is listed.",
            "Svaret passer ikke til saken; alle funn er listet."),
    Problem("hold.no-override", _C, False, 403,
            "No policy row lets this role set an objection aside on this ground.",
            "Ingen regel lar denne rollen sette en innsigelse til side på dette grunnlaget."),
    Problem("translate.unmapped", _O, False, 500,
            "A value has no agreed translation.",
            "En verdi har ingen avtalt oversettelse."),
    Problem("render.incomplete", _O, False, 500,
            "The translated message does not satisfy the recipient's type.",
            "Den oversatte meldingen oppfyller ikke mottakerens type."),
    Problem("seal.key-destroyed", _N, False, 410,
            "The key to this content is destroyed; nobody can read it again.",
            "Nøkkelen til innholdet er slettet; ingen kan lese det igjen."),
    Problem("enqueue.unavailable", _N, True, 503,
            "The broker does not answer; the hub sends it later by itself.",
            "Meldingskøen svarer ikke; huben sender senere av seg selv."),
    Problem("hand-over.unavailable", _R, True, 503,
            "The recipient does not answer; the hub tries again.",
            "Mottakeren svarer ikke; huben prøver igjen."),
    Problem("hand-over.refused", _R, False, 502,
            "The recipient's system refused the message.",
            "Mottakerens system avviste meldingen."),
    Problem("hand-over.gave-up", _O, False, 502,
            "The recipient did not take the message within all attempts; an operator decides.",
            "Mottakeren tok ikke imot meldingen innen alle forsøk; en operatør avgjør."),
    Problem("hand-over.dropped", _N, False, 410,
            "An operator ended it after the attempts had failed; it is not sent.",
            "En operatør avsluttet den etter at forsøkene mislyktes; den blir ikke sendt."),
    Problem("hand-over.expired", _N, False, 410,
            "The time the message was good for has passed.",
            "Tiden meldingen gjaldt for er ute."),
    Problem("receipt.overdue", _R, True, 200,
            "An expected answer has not come in time.",
            "Et ventet svar er ikke kommet i tide."),
    Problem("map.invalid", _O, False, 500,
            "A message type or agreement file is wrong; every finding is listed.",
            "En meldingstype- eller avtalefil er feil; alle funn er listet."),
    Problem("policy.invalid", _O, False, 500,
            "The policy rows are wrong; every finding is listed.",
            "Reglene er feil; alle funn er listet."),
    Problem("policy.no-such-flow", _O, False, 404,
            "No policy row has this id.",
            "Ingen regel har denne id-en."),
    Problem("policy.step-refused", _O, False, 409,
            "The policy row cannot be switched so; every finding is listed.",
            "Regelen kan ikke kobles om slik; alle funn er listet."),
    Problem("vectors.invalid", _O, False, 500,
            "The file does not hold decision vectors; every finding is listed.",
            "Filen inneholder ikke beslutningsvektorer; alle funn er listet."),
    Problem("settings.invalid", _O, False, 500,
            "Settings are wrong; every finding is listed.",
            "Innstillingene er feil; alle funn er listet."),
    Problem("hub.no-such-id", _O, False, 404,
            "No message and no disclosure has this id.",
            "Ingen melding og ingen utlevering har denne id-en."),
    Problem("hub.repair-refused", _O, False, 409,
            "The repair does not fit how things stand; every finding is listed.",
            "Reparasjonen passer ikke til tilstanden; alle funn er listet."),
    Problem("hub.no-such-person", _O, False, 404,
            "The hub has no record of this number, or no described patient in this message.",
            "Huben har ingen post på dette nummeret, eller ingen beskrevet pasient i denne meldingen."),
    Problem("adapter.unknown", _O, False, 404,
            "There is no adapter, message type or agreement of this name.",
            "Det finnes ingen adapter, meldingstype eller avtale med dette navnet."),
    Problem("adapter.invalid", _O, False, 422,
            "The adapter cannot be used or written like this; every finding is listed.",
            "Adapteren kan ikke brukes eller skrives slik; alle funn er listet."),
    Problem("hub.identity-refused", _O, False, 409,
            "The change of identity does not fit how things stand; every finding is listed.",
            "Endringen av identitet passer ikke til tilstanden; alle funn er listet."),
    Problem("hub.internal", _O, True, 500,
            "The hub failed; the fault stands in its log.",
            "Huben feilet; feilen står i loggen."),
)  # a table # fmt: skip
