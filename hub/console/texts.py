"""Understands every word of the console, in bokmål and English. Titles of codes stand in `hub/errors.py`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Language(StrEnum):
    """`nb` is what a visitor gets who has said nothing."""

    NB = "nb"
    EN = "en"


class Text(NamedTuple):
    """One text in both languages. `{name}` is where something is put in."""

    nb: str
    en: str


TEXTS: Mapping[str, Text] = {
    "console": Text("Konsoll", "Console"),
    "skip": Text("Hopp til hovedinnhold", "Skip to main content"),
    "rooms": Text("Rom", "Rooms"),
    "footer": Text(
        "Denne siden viser aldri hva en melding inneholder, hvem den gjelder, eller hva som er bestemt om "
        "deling.",
        "This page never shows what a message holds, whom it is about, or what was decided about sharing.",
    ),
    "leave": Text("Gå ut", "Leave"),
    "drift": Text("Drift", "Operations"),
    "drift.as-of": Text("Slik det var", "As it was on"),
    "drift.refresh": Text("Oppdater siden", "Refresh the page"),
    "calm.yes": Text("Alt går som det skal", "Everything runs as it should"),
    "calm.yes.more": Text(
        "Ingenting står fast, og ingen ventede svar er over fristen.",
        "Nothing is stuck, and no expected answer is overdue.",
    ),
    "calm.no": Text("Noe trenger tilsyn", "Something needs attention"),
    "calm.store": Text("Databasen svarer ikke.", "The database does not answer."),
    "calm.queue": Text("Meldingskøen svarer ikke.", "The message queue does not answer."),
    "calm.stuck.one": Text("Én utlevering står fast.", "One disclosure is stuck."),
    "calm.stuck.many": Text("{n} utleveringer står fast.", "{n} disclosures are stuck."),
    "calm.overdue.one": Text("Ett ventet svar er over fristen.", "One expected answer is overdue."),
    "calm.overdue.many": Text("{n} ventede svar er over fristen.", "{n} expected answers are overdue."),
    "calm.aside.one": Text(
        "Én oppgave er lagt til side i meldingskøen.", "One task was put aside in the message queue."
    ),
    "calm.aside.many": Text(
        "{n} oppgaver er lagt til side i meldingskøen.", "{n} tasks were put aside in the message queue."
    ),
    "work": Text("Utleveringer", "Disclosures"),
    "work.none": Text(
        "Kan ikke vises så lenge databasen ikke svarer.",
        "Cannot be shown while the database does not answer.",
    ),
    "state.queued": Text("I kø", "Queued"),
    "state.queued.more": Text("huben har noe å gjøre", "the hub has work to do"),
    "state.offered": Text("Til henting", "To be fetched"),
    "state.offered.more": Text("ligger i mottakerens innboks", "lies in the recipient’s inbox"),
    "state.parked": Text("Parkert", "Parked"),
    "state.parked.more": Text(
        "alle forsøk mislyktes; en operatør avgjør", "all attempts failed; an operator decides"
    ),
    "oldest": Text("eldste {age}", "oldest {age}"),
    "nothing": Text("ingen", "none"),
    "stuck": Text("Står fast", "Stuck"),
    "stuck.none": Text("Ingenting står fast.", "Nothing is stuck."),
    "stuck.unsaid": Text(
        "Er forsøkt før og skal forsøkes igjen.", "Was tried before and will be tried again."
    ),
    "stuck.parked": Text("Parkert", "Parked"),
    "stuck.retried": Text("Forsøkes igjen", "Tried again"),
    "stuck.count.one": Text("1 utlevering", "1 disclosure"),
    "stuck.count.many": Text("{n} utleveringer", "{n} disclosures"),
    "stuck.actor": Text("Hvem må handle", "Who must act"),
    "stuck.count": Text("Antall", "How many"),
    "stuck.oldest": Text("Eldste", "Oldest"),
    "stuck.code": Text("Kode", "Code"),
    "stuck.ids": Text("Vis id-er", "Show ids"),
    "stuck.ids.more": Text("og {n} til", "and {n} more"),
    "stuck.repair": Text(
        "Når årsaken er borte, prøv igjen fra kommandolinjen:",
        "When the cause is gone, try again from the command line:",
    ),
    "stuck.by-itself": Text("Huben prøver igjen av seg selv.", "The hub tries again by itself."),
    "stuck.reason": Text("hvorfor", "why"),
    "overdue": Text("Svar over fristen", "Overdue answers"),
    "overdue.none": Text("Ingen ventede svar er over fristen.", "No expected answer is overdue."),
    "overdue.message": Text("Melding", "Message"),
    "overdue.agency": Text("Hvem skulle svare", "Who should answer"),
    "overdue.since": Text("Frist", "Due"),
    "overdue.late": Text("Over fristen", "Overdue by"),
    "overdue.more": Text("og {n} til", "and {n} more"),
    "parts": Text("Deler", "Parts"),
    "parts.store": Text("Database", "Database"),
    "parts.queue": Text("Meldingskø", "Message queue"),
    "parts.up": Text("svarer", "answers"),
    "parts.down": Text("svarer ikke", "does not answer"),
    "queues": Text("Køer", "Queues"),
    "queues.name": Text("Kø", "Queue"),
    "queues.what": Text("Hva ligger her", "What lies here"),
    "queues.depth": Text("Antall", "How many"),
    "queues.oldest": Text("Eldste", "Oldest"),
    "queues.none": Text(
        "Kan ikke vises så lenge meldingskøen ikke svarer.",
        "Cannot be shown while the message queue does not answer.",
    ),
    "queues.work": Text("arbeid som skal gjøres nå", "work to be done now"),
    "queues.later": Text("arbeid som venter på neste forsøk", "work that waits for its next attempt"),
    "queues.dead": Text("lagt til side etter for mange forsøk", "put aside after too many attempts"),
    "queues.unroutable": Text("lagt til side uten adresse", "put aside without an address"),
    "queues.unknown-age": Text("ikke kjent", "not known"),
    "log": Text("Revisjonslogg", "Audit log"),
    "log.leaves": Text("Innførsler", "Leaves"),
    "log.size": Text("I siste kontrollpunkt", "In the last checkpoint"),
    "log.at": Text("Siste kontrollpunkt", "Last checkpoint"),
    "log.never": Text("ingen ennå", "none yet"),
    "log.check": Text(
        "Kontroller hele loggen fra kommandolinjen:", "Check the whole log from the command line:"
    ),
    "actor.sender": Text("Avsenderen", "The sender"),
    "actor.recipient": Text("Mottakeren", "The recipient"),
    "actor.person": Text("Personen", "The person"),
    "actor.caseworker": Text("En saksbehandler", "A caseworker"),
    "actor.operations": Text("Driften", "Operations"),
    "actor.nobody": Text("Ingen", "Nobody"),
    "enter": Text("Du er ikke inne", "You are not inside"),
    "enter.how": Text(
        "Adressen med nøkkel skrives ut i terminalen når huben starter. Åpne den, så er du inne i åtte "
        "timer.",
        "The address with its key is printed in the terminal when the hub starts. Open it, and you are "
        "inside for eight hours.",
    ),
    "enter.again": Text(
        "Har du nettopp åpnet den fra et annet nettsted, gå videre her:",
        "If you have just opened it from another site, go on here:",
    ),
    "enter.lost": Text(
        "Er nøkkelen borte, start huben på nytt; da lages en ny.",
        "If the key is lost, restart the hub; it then makes a new one.",
    ),
    "login": Text("Logg inn ved skranken", "Log in at the desk"),
    "login.how": Text(
        "For saksbehandlere og andre som står i fila over brukere. Innloggingen varer i åtte timer.",
        "For caseworkers and others who stand in the file of users. The login lasts eight hours.",
    ),
    "login.name": Text("Brukernavn", "User name"),
    "login.key": Text("Nøkkel", "Key"),
    "login.button": Text("Logg inn", "Log in"),
    "login.failed": Text(
        "Brukernavn og nøkkel passer ikke sammen. Etter fem feil må du vente ett minutt.",
        "User name and key do not fit together. After five faults you must wait a minute.",
    ),
    "login.closed": Text(
        "Ingen brukere er satt opp i denne installasjonen.", "No users are set up in this installation."
    ),
    "login.as": Text("{name}, {agency}", "{name}, {agency}"),
    "refused": Text("Skjemaet ble ikke tatt imot", "The form was not taken"),
    "refused.how": Text(
        "Det kom ikke fra en side du har åpnet her nå, eller det var for stort. Ingenting er endret. "
        "Åpne siden på nytt og prøv igjen.",
        "It did not come from a page that you have open here now, or it was too large. Nothing has "
        "changed. Open the page again and try once more.",
    ),
    "samtykke": Text("Samtykke", "Consent"),
    "samtykke.faults": Text("Ikke registrert", "Not recorded"),
    "samtykke.done": Text("Registrert. Det gjelder fra nå.", "Recorded. It holds from now."),
    "samtykke.receipt": Text("Kvittering til personen", "Receipt for the person"),
    "samtykke.whose": Text("Hvem gjelder det?", "Whose is it?"),
    "samtykke.no-number": Text(
        "Dette er ikke et gyldig fødselsnummer eller D-nummer.",
        "This is no valid national identity number or D-number.",
    ),
    "samtykke.number": Text("Fødselsnummer eller D-nummer", "National identity number or D-number"),
    "samtykke.open": Text("Vis", "Show"),
    "samtykke.list": Text("Det personen har sagt hos dere", "What the person has said at your agency"),
    "samtykke.list.none": Text(
        "Ingenting er registrert hos dere.", "Nothing has been recorded at your agency."
    ),
    "samtykke.list.control": Text(
        "Vises ikke for etater som kan straffe.", "Not shown to agencies that can punish."
    ),
    "samtykke.row": Text("Versjon {version}: {stands}", "Version {version}: {stands}"),
    "samtykke.by": Text("Registrert av {recorder}, {at}", "Recorded by {recorder}, {at}"),
    "samtykke.withdraw.one": Text("Trekk dette", "Withdraw this"),
    "samtykke.withdraw": Text("Trekke alt på en gang", "Withdraw everything at once"),
    "samtykke.withdraw.how": Text(
        "Personen skriver under. Ingen grunn trengs. Det virker med en gang, hvem som enn registrerte det.",
        "The person signs. No reason is needed, and it works at once, whoever recorded it.",
    ),
    "samtykke.withdraw.what": Text("Hva", "What"),
    "samtykke.withdraw.permissions": Text(
        "Alt personen har tillatt, trekkes", "All that the person permitted is withdrawn"
    ),
    "samtykke.withdraw.refusals": Text(
        "Alt personen har nektet, oppheves", "All that the person refused is lifted"
    ),
    "samtykke.withdraw.button": Text("Registrer", "Record"),
    "samtykke.signed": Text("Personen har skrevet under", "The person has signed"),
    "samtykke.explained": Text(
        "Jeg har forklart innholdet, og personen har forstått det",
        "I have explained the content, and the person has understood it",
    ),
    "samtykke.give": Text("Gi, endre eller nekte", "Give, change or refuse"),
    "samtykke.decision": Text("Personen", "The person"),
    "samtykke.permit": Text("tillater deling", "permits sharing"),
    "samtykke.refuse": Text(
        "nekter deling; det som ikke krysses av, nektes for alle",
        "refuses sharing; what is not ticked is refused for all",
    ),
    "samtykke.text": Text("Teksten personen fikk se", "The text the person was shown"),
    "samtykke.senders": Text("Hvem kan dele", "Who may share"),
    "samtykke.recipients": Text("Hvem kan få", "Who may receive"),
    "samtykke.org": Text(
        "Eller bare denne mottakeren (organisasjonsnummer)", "Or only this recipient (organisation number)"
    ),
    "samtykke.purposes": Text("Hva det kan brukes til", "What it may be used for"),
    "samtykke.categories": Text("Hvilke opplysninger", "Which information"),
    "samtykke.substance": Text("Opplysninger om rus", "Information about substance use"),
    "samtykke.substance.how": Text(
        "Krysses av for seg. Personen skal ha tatt stilling til akkurat dette.",
        "Ticked by itself. The person must have considered just this.",
    ),
    "samtykke.substance.tick": Text(
        "Gjelder også opplysninger om rus", "Also covers information about substance use"
    ),
    "samtykke.substance.control": Text(
        "Kan ikke innhentes av en etat som kan straffe.", "Cannot be collected by an agency that can punish."
    ),
    "samtykke.from": Text("Første dag", "First day"),
    "samtykke.to": Text("Siste dag", "Last day"),
    "samtykke.form": Text("Hvordan det ble gitt", "How it was given"),
    "samtykke.form.skriftlig": Text("På papir", "On paper"),
    "samtykke.form.elektronisk": Text("Elektronisk", "Electronically"),
    "samtykke.form.muntlig": Text("Muntlig", "Orally"),
    "samtykke.sted": Text("Hvor det ble gitt", "Where it was given"),
    "samtykke.sted.helsetjeneste": Text("I helsetjenesten", "In the health service"),
    "samtykke.sted.fengsel": Text(
        "I fengselet, utenfor helsetjenesten", "In prison, outside the health service"
    ),
    "samtykke.sted.program": Text("I et program eller en kontroll", "In a programme or a control"),
    "samtykke.sted.etatskontor": Text("På etatens kontor", "At the agency’s office"),
    "samtykke.sted.digitalt": Text("Digitalt, av personen selv", "Digitally, by the person"),
    "samtykke.sted.annet": Text("Et annet sted", "Elsewhere"),
    "samtykke.tolk": Text("Tolk", "Interpreter"),
    "samtykke.tolk.ingen": Text("Ingen tolk", "No interpreter"),
    "samtykke.tolk.kvalifisert": Text("Kvalifisert tolk", "A qualified interpreter"),
    "samtykke.tolk.annen": Text("En annen oversatte", "Somebody else translated"),
    "samtykke.gitt_av": Text("Hvem som ga det", "Who gave it"),
    "samtykke.gitt_av.pasient": Text("Personen selv", "The person"),
    "samtykke.gitt_av.verge": Text("Verge", "Guardian"),
    "samtykke.sentence": Text("Gjennomfører personen straff nå?", "Is the person serving a sentence now?"),
    "samtykke.yes": Text("Ja", "Yes"),
    "samtykke.no": Text("Nei", "No"),
    "samtykke.confirm": Text("Bekreftelser", "Confirmations"),
    "samtykke.changes": Text("Endrer et samtykke dere har registrert", "Changes a consent that you recorded"),
    "samtykke.changes.none": Text("Nei, dette er nytt", "No, this is new"),
    "samtykke.button": Text("Registrer og vis kvittering", "Record and show the receipt"),
    "stands.in-force": Text("gjelder", "in force"),
    "stands.not-yet": Text("gjelder ikke ennå", "not yet in force"),
    "stands.expired": Text("utløpt", "expired"),
    "stands.withdrawn": Text("trukket", "withdrawn"),
    "stands.only-refuses": Text(
        "det den tillot, er trukket; det den nekter, står",
        "what it permitted is withdrawn; what it refuses stands",
    ),
    "stands.superseded": Text("erstattet av en nyere versjon", "superseded by a newer version"),
    "stands.unreadable": Text("kan ikke leses", "cannot be read"),
    "missing": Text("Denne siden finnes ikke", "There is no such page"),
    "missing.back": Text("Gå til Drift", "Go to Operations"),
    "saker": Text("Saker", "Cases"),
    "saker.what": Text(
        "Her ligger det huben ikke kan avgjøre alene: tekst som et menneske må lese før den kan sendes.",
        "Here lies what the hub cannot decide alone: text that a person must read before it can go.",
    ),
    "saker.none": Text("Ingen saker venter på deg.", "No case waits for you."),
    "saker.second": Text("venter på en til", "waits for a second person"),
    "saker.footer": Text(
        "Hver gang du åpner en sak, blir det loggført på ditt navn før du ser teksten.",
        "Each time you open a case, it is recorded under your name before you see the text.",
    ),
    "saker.done": Text(
        "Svaret er tatt imot. Huben avgjør saken på nytt; et samtykke som er trukket, stopper den fortsatt.",
        "The answer is recorded. The hub decides the case anew; a withdrawn consent still stops it.",
    ),
    "saker.done.waits": Text(
        "Forslaget er tatt imot. Ingenting skjer før en annen leser har bekreftet det.",
        "The proposal is recorded. Nothing happens before another reader has confirmed it.",
    ),
    "saker.done.told": Text(
        "Svaret er tatt imot. Avsenderen får vite hvilke felter som må skrives på nytt.",
        "The answer is recorded. The sender is told which fields must be written anew.",
    ),
    "sak": Text("Sak", "Case"),
    "sak.back": Text("Tilbake til alle saker", "Back to all cases"),
    "sak.facts": Text("Om saken", "About the case"),
    "sak.recipient": Text("Mottaker", "Recipient"),
    "sak.purpose": Text("Formål", "Purpose"),
    "sak.agreement": Text("Avtale", "Agreement"),
    "sak.leaves": Text("Felter", "Fields"),
    "sak.age": Text("Alder", "Age"),
    "sak.why": Text("Hvorfor den venter", "Why it waits"),
    "sak.open": Text("Åpne saken", "Open the case"),
    "sak.open.how": Text(
        "Du får se teksten som venter, det huben fant i den, og regelen som gjelder. Det blir loggført at "
        "du har lest den.",
        "You will see the text that waits, what the hub found in it, and the rule that applies. That you "
        "have read it is recorded.",
    ),
    "sak.open.button": Text("Åpne og les", "Open and read"),
    "sak.proposed-by": Text("Foreslått av {reader}", "Proposed by {reader}"),
    "sak.given.own": Text(
        "Du kan ikke bekrefte ditt eget forslag. En annen leser må gjøre det.",
        "You cannot confirm your own proposal. Another reader must.",
    ),
    "sak.confirm": Text("Bekreft forslaget", "Confirm the proposal"),
    "sak.text": Text("Slik den er skrevet", "As it is written"),
    "sak.heard": Text("Slik huben leser den", "As the hub reads it"),
    "sak.hits": Text("Det huben fant", "What the hub found"),
    "sak.hits.none": Text(
        "Huben fant ingen ord i lista. Det betyr ikke at teksten er trygg å sende.",
        "The hub found no word of its list. That does not mean that the text is safe to send.",
    ),
    "sak.strength.s": Text("sikkert funn", "sure"),
    "sak.strength.m": Text("sannsynlig funn", "likely"),
    "sak.strength.w": Text("usikkert funn", "uncertain"),
    "sak.about": Text("Feltet gjelder", "The field is about"),
    "sak.raised": Text("Huben mener det også gjelder", "The hub takes it to be about this too"),
    "sak.rows": Text("Regelen", "The rule"),
    "sak.rows.none": Text("Ingen regel lar dette feltet gå.", "No rule lets this field go."),
    "sak.row.consent": Text(
        "Regel {row}: sendes bare når personen har samtykket. Gjelder {categories}. Hjemmel: {law}.",
        "Rule {row}: goes only when the person has consented. Covers {categories}. Law: {law}.",
    ),
    "sak.row.may-unless-objection": Text(
        "Regel {row}: kan sendes når personen ikke har sagt imot. Gjelder {categories}. Hjemmel: {law}.",
        "Rule {row}: may go unless the person has objected. Covers {categories}. Law: {law}.",
    ),
    "sak.row.duty": Text(
        "Regel {row}: loven pålegger at det sendes. Gjelder {categories}. Hjemmel: {law}.",
        "Rule {row}: the law orders that it goes. Covers {categories}. Law: {law}.",
    ),
    "sak.row.duty-on-request": Text(
        "Regel {row}: skal sendes når mottakeren har bedt om det. Gjelder {categories}. Hjemmel: {law}.",
        "Rule {row}: must go when the recipient has asked for it. Covers {categories}. Law: {law}.",
    ),
    "sak.row.prohibit": Text(
        "Regel {row}: er forbudt å sende. Gjelder {categories}. Hjemmel: {law}.",
        "Rule {row}: must not go. Covers {categories}. Law: {law}.",
    ),
    "sak.illegible": Text(
        "Dette kan ikke leses av et menneske. Det kan ikke sendes herfra.",
        "No person can read this. It cannot be sent from here.",
    ),
    "sak.two": Text(
        "Huben fant noe her. To personer må være enige før det sendes.",
        "The hub found something here. Two persons must agree before it goes.",
    ),
    "sak.only": Text(
        "Ta med dette feltet når bare noe sendes", "Take this field along when only a part goes"
    ),
    "sak.found": Text("Teksten forteller også om noe annet", "The text also tells of something else"),
    "sak.found.what": Text("{leaf}: hva annet forteller den om?", "{leaf}: what else does it tell of?"),
    "sak.category.unknown": Text("noe huben ikke kan plassere", "something the hub cannot place"),
    "sak.category.protected-address": Text("Gradert adresse", "Graded address"),
    "sak.answer": Text("Ditt svar", "Your answer"),
    "sak.reason": Text("Begrunnelse", "Reason"),
    "sak.reason.hint": Text(
        "Begrunnelsen forsegles i loggen. Skriv ikke hvem saken gjelder.",
        "The reason is sealed in the log. Do not write whom it is about.",
    ),
    "sak.reason.missing": Text(
        "Skriv en begrunnelse på 1 til 500 tegn.", "Write a reason of 1 to 500 characters."
    ),
    "sak.only.missing": Text(
        "Kryss av for feltene som skal sendes, eller velg et annet svar.",
        "Tick the fields that shall go, or choose another answer.",
    ),
    "sak.answer.hint": Text(
        "Ingenting sendes herfra. Huben avgjør saken på nytt etter svaret ditt.",
        "Nothing is sent from here. The hub decides the case anew after your answer.",
    ),
    "sak.do.release": Text("Kan sendes som den er", "May go as it is"),
    "sak.do.reduced": Text("Bare det avkryssede kan sendes", "Only what is ticked may go"),
    "sak.do.return": Text("Tilbake til avsenderen", "Back to the sender"),
    "sak.do.refuse": Text("Skal ikke sendes", "Must not go"),
    "sak.word.release": Text("kan sendes", "may go"),
    "sak.word.refuse": Text("skal ikke sendes", "must not go"),
    "sak.word.return": Text("tilbake til avsenderen", "back to the sender"),
    "language.other": Text("English", "Bokmål"),
}


def say(language: Language, key: str, **put_in: object) -> str:
    """The text, or KeyError: a missing one is a fault of the page, not of the visitor."""
    text = TEXTS[key]
    chosen = text.nb if language is Language.NB else text.en
    return chosen.format(**put_in) if put_in else chosen


def say_count(language: Language, key: str, n: int) -> str:
    """`key.one` or `key.many`."""
    if n == 1:
        return say(language, f"{key}.one")
    return say(language, f"{key}.many", n=n)
