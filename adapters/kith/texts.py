"""Understands what a sender is told of each fault in a KITH message: the rule, in bokmål and English.

One table. `{}` is filled with names of the profile, never with a word from the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """One broken rule and what was expected."""

    rule: str
    nb: str
    en: str


RULES: Mapping[str, tuple[str, str]] = {
    "root": ("rotelementet {}", "the root element {}"),
    "unknown-element": ("bare {}", "only {}"),
    "order": ("før {}", "before {}"),
    "missing": ("elementet {}", "the element {}"),
    "count": ("høyst {} ganger", "at most {} times"),
    "length": ("{} tegn", "{} characters"),
    "once": (
        "høyst {} ganger, selv om skjemaet tar flere",
        "at most {} times, though the schema takes more",
    ),
    "choice": ("ett av {}", "one of {}"),
    "attribute": ("bare attributtene {}", "only the attributes {}"),
    "attribute-missing": ("attributtet {}", "the attribute {}"),
    "no-text": ("bare elementer, ingen tekst", "elements only, no text"),
    "no-elements": ("en verdi uten elementer", "a value without elements"),
    "empty": ("en verdi", "a value"),
    "fixed": ("verdien {}", "the value {}"),
    "xhtml": (
        "tekst, eller én div av XHTML med tekst, lister og tabeller, uten gjennomstreket eller skjult tekst "
        "og uten celler over flere rader eller kolonner",
        "text, or one div of XHTML with text, lists and tables, nothing struck through or hidden and no "
        "cells over several rows or columns",
    ),
    "oid": ("en OID: tall med punktum mellom", "an OID: numbers with dots between"),
    "number": ("et tall", "a number"),
    "year": ("et årstall, ÅÅÅÅ", "a year, YYYY"),
    "duration": ("en varighet, som PT15M", "a duration, such as PT15M"),
    "integer": ("et heltall", "a whole number"),
    "boolean": ("true eller false", "true or false"),
    "time": ("dato, eller dato og klokkeslett med sekunder", "a date, or a date and a time with seconds"),
    "date": ("en dato, ÅÅÅÅ-MM-DD", "a date, YYYY-MM-DD"),
    "datetime": ("dato og klokkeslett med sekunder", "a date and a time with seconds"),
    "moment": ("et tidspunkt", "a moment"),
    "one-file": ("én fil i Base64Container", "one file in Base64Container"),
    "seconds": ("klokkeslett med sekunder", "a time with seconds"),
    "date-digits": ("måned og dag med to siffer", "month and day with two digits"),
    "day": ("en hel dato", "a whole date"),
    "base64": ("base64", "base64"),
    "msgid-uuid": ("en UUID", "a UUID"),
    "msgid-form": (
        "en UUID uten klammer eller urn:uuid: rundt",
        "a UUID without braces or urn:uuid: around it",
    ),
    "code": ("en av kodene {}", "one of the codes {}"),
    "person-number-missing": (
        "fødselsnummer, D-nummer eller felles hjelpenummer, eller fødselsdato og kjønn",
        "a national identity number, D-number or common help number, or a birth date and a sex",
    ),
    "person-number": ("et nummer med riktige kontrollsiffer", "a number with the right check digits"),
    "person-number-blank": ("elleve siffer uten mellomrom", "eleven digits without a blank"),
    "person-number-local": (
        "fødselsnummer, D-nummer eller felles hjelpenummer, eller fødselsdato og kjønn; et lokalt nummer "
        "er bare kjent der det ble laget",
        "a national identity number, D-number or common help number, or a birth date and a sex; a local "
        "number is known only where it was made",
    ),
    "person-number-two": (
        "ett nummer av hvert slag: to forskjellige er to personer",
        "one number of each kind: two that differ are two persons",
    ),
    "person-name-missing": ("pasientens navn", "the name of the patient"),
    "sender-missing": ("avsenderens navn eller id", "the name or the id of the sender"),
    "receiver-missing": ("mottakerens navn eller id", "the name or the id of the receiver"),
    "part-missing": (
        "en verdi i {}: det som står der ellers, er det ikke plass til",
        "a value in {}: there is no place for what else stands there",
    ),
    "annotation": (
        "ingen merknad om et dokument ved siden av meldingen; om meldingen og om et vedlegg leses den",
        "no annotation of a document beside the message; that of the message or an attachment is read",
    ),
    "other-professional": (
        "én behandler for hver part: den som står i to virksomheter, er den samme med de samme opplysningene",
        "one professional for each party: who stands in two organisations is the same with the same words",
    ),
    "content-named": (
        "et innhold som leses her; {} leses ikke",
        "a content that is read here; {} is not",
    ),
    "content": ("et innhold som leses her", "a content that is read here"),
    "content-type": (
        "en meldingstype som leses sammen med innholdet i meldingen",
        "a message type that is read together with the contents of the message",
    ),
    "wrapper": (
        "meldingen for seg, eller i en innpakning som leses her: {}",
        "the message by itself, or in a wrapper that is read here: {}",
    ),
    "payload": ("meldingen {} som innhold", "the message {} as the content"),
    "too-large": ("høyst {} byte", "at most {} bytes"),
    "unsaid": (
        "det meldingen har et element for, ved siden av alt det andre som står der",
        "what the message has an element for, beside all else that is said",
    ),
    "national-schema": (
        "det som det nasjonale skjemaet tillater her",
        "what the national schema allows here",
    ),
}


def say(rule: str, *names: object) -> Said:
    """A broken rule in both languages; the names are the profile's own."""
    nb, en = RULES[rule]
    words = ", ".join(str(name) for name in names)
    return Said(rule, nb.format(words), en.format(words))
