"""Understands everything that can go wrong, by code: the only place where a code is born.

`<step>.<reason>` says how far the message came. `actor` says who must do something, `waiting_helps`
whether time heals it, `title` is one sentence without a word from any message. The same code goes
into the HTTP answer, the receipt, the audit, the console and `docs/errors.md`. A code never changes
meaning. This module imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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
    1-based and only there for text formats.
    """

    at: str
    rule: str
    expected: str
    line: int | None = None
    column: int | None = None


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
    Problem("route.version-used", _S, False, 409,
            "This version of the series was sent before; use a higher one.",
            "Denne versjonen av serien er sendt før; bruk en høyere."),
    Problem("route.superseded", _N, False, 200,
            "A newer version from the same sender is already in force.",
            "En nyere versjon fra samme avsender gjelder allerede."),
    Problem("decide.no-row", _O, False, 403,
            "No reviewed policy row allows this category between these sectors for this purpose.",
            "Ingen gjennomgått regel tillater denne kategorien mellom disse sektorene til dette formålet."),
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
    Problem("decide.unreadable", _C, True, 403,
            "A consent of the person cannot be evaluated, so nothing is permitted.",
            "Et samtykke fra personen kan ikke vurderes, derfor tillates ingenting."),
    Problem("decide.unknown-category", _C, False, 403,
            "The content could not be classified with certainty.",
            "Innholdet kunne ikke klassifiseres sikkert."),
    Problem("decide.free-text-unread", _C, True, 403,
            "Free text to a recipient outside health care goes only after a person has read it.",
            "Fritekst til mottaker utenfor helsetjenesten går bare etter at et menneske har lest den."),
    Problem("decide.protected-address", _C, False, 403,
            "The person has a graded address: no automatic message at all.",
            "Personen har gradert adresse: ingen automatiske meldinger."),
    Problem("decide.deceased", _C, False, 403,
            "The person is registered as deceased: no automatic message at all.",
            "Personen er registrert som død: ingen automatiske meldinger."),
    Problem("decide.essential-missing", _N, True, 403,
            "What may go is not enough for a meaningful message.",
            "Det som kan sendes er ikke nok til en meningsfull melding."),
    Problem("decide.not-told", _N, False, 200,
            "The recipient got nothing that this is about.",
            "Mottakeren har ikke fått noe som dette gjelder."),
    Problem("decide.row", _N, False, 200,
            "A reviewed policy row allows it.",
            "En gjennomgått regel tillater det."),
    Problem("decide.consent", _N, False, 200,
            "A consent of the person covers it.",
            "Et samtykke fra personen dekker det."),
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
            "There is no such consent of this person.",
            "Det finnes ikke noe slikt samtykke fra denne personen."),
    Problem("consent.version-old", _C, False, 409,
            "A newer version of this consent is already recorded.",
            "En nyere versjon av dette samtykket er allerede registrert."),
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
            "The hub has no record of this number.",
            "Huben har ingen post på dette nummeret."),
    Problem("hub.identity-refused", _O, False, 409,
            "The change of identity does not fit how things stand; every finding is listed.",
            "Endringen av identitet passer ikke til tilstanden; alle funn er listet."),
    Problem("hub.internal", _O, True, 500,
            "The hub failed; its operators know.",
            "Huben feilet; driften er varslet."),
)  # fmt: skip
