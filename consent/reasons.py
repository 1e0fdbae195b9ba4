"""Understands how the reasons for not recording a consent are told, in bokmål and English.

A reason names a place and what was expected there; never what stood there.
"""

from __future__ import annotations

from collections.abc import Mapping

from consent.plain import Words
from hub.errors import Finding

RULES: Mapping[str, Words] = {
    "missing": Words("mangler", "is missing"),
    "value": Words("har en verdi som ikke kan brukes", "has a value that cannot be used"),
    "code": Words(
        "har en kode som ikke betyr nøyaktig det samme som noen av våre ord",
        "has a code that does not mean exactly the same as any of our words",
    ),
    "count": Words("står for få eller for mange ganger", "is there too few or too many times"),
    "not-read": Words(
        "kan ikke uttrykkes nøyaktig, og kan endre hva samtykket betyr",
        "cannot be expressed exactly, and can change what the consent means",
    ),
    "narrower": Words(
        "har ord ved siden av koden, som kan bety mindre enn den",
        "has words beside the code, which may mean less than it",
    ),
    "status": Words(
        "er ikke «active»; bare et gitt og gjeldende samtykke blir registrert, og et som er avsluttet eller "
        "feilført, trekkes",
        "is not “active”; only a consent given and in force is recorded, and one that has ended or was "
        "recorded by mistake is withdrawn",
    ),
    "refusal": Words(
        "sier at personen nektet; en nektelse oppheves ikke ved at samtykket er avsluttet",
        "says that the person refused; a refusal is not lifted by a consent that has ended",
    ),
    "undecided": Words(
        "sier ikke om personen tillot eller nektet", "does not say whether the person permitted or refused"
    ),
    "policy": Words(
        "viser til et regelverk som ikke er kjent her, eller som sier det motsatte av beslutningen",
        "refers to a policy that is not known here, or that says the opposite of the decision",
    ),
    "alternates": Words(
        "er av samme slag som regelen det skal være et unntak fra",
        "is of the same kind as the rule it should be an exception to",
    ),
    "nested": Words("går dypere enn unntak fra unntak", "goes deeper than exceptions to exceptions"),
    "unique": Words("er ikke entydig", "is not unique"),
    "release": Words("blander FHIR R4 og R5", "mixes FHIR R4 and R5"),
    "type": Words("har feil slag verdi", "has the wrong kind of value"),
    "security-label": Words("er merket strengere enn vanlig", "is labelled stricter than normal"),
    "known-word": Words("er et ord huben ikke kjenner", "is a word that the hub does not know"),
    "said-out-loud": Words(
        "må sies uttrykkelig når noe tillates", "must be said out loud where something is permitted"
    ),
    "form": Words("mangler det formen krever", "lacks what the form requires"),
    "not-before": Words("slutter før det begynner", "ends before it begins"),
    "not-yet": Words("er ikke kommet ennå", "has not come yet"),
    "other": Words("viser til seg selv", "refers to itself"),
    "well-formed": Words("er ikke velformet", "is not well formed"),
    "identity-number": Words("er ikke et gyldig fødselsnummer", "is not a valid identity number"),
    "recorder": Words("kan ikke innhentes av en kontrollrolle", "cannot be collected by a control role"),
    "programme": Words(
        "gjelder et program eller en straff, og er ikke samtykke til deling",
        "is about a programme or a sanction, and is no consent to share",
    ),
}
_OTHER = Words("kan ikke brukes slik det er skrevet", "cannot be used as it is written")


def told(finding: Finding, language: str) -> str:
    """One finding as a sentence: the place and what is wrong, without what was expected."""
    return f"{finding.at} {RULES.get(finding.rule, _OTHER).said(language)}"
