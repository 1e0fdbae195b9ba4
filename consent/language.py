"""Understands whether a text is written in a language that the free-text scan knows.

By function words and common words of the field, not by statistics: a short note must pass, and a
text of another language must not. Unsure is no.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KNOWN = _words(
    """
    og i på å er en et ei den det de som til av for med ikke ikkje har han hun ho hen kan vil skal må
    fra frå om at eller men også etter ved var blir ble vert vart være vere hadde vi dere dei seg sin
    sitt sine si hans hennes deres når da då så nå no her der hvor kor hva kva hvis dersom fordi uten
    utan mellom under over før mot hos både ingen inga noe noko noen nokon mye mykje lite litt mer meir
    flere fleire mange annen anna andre egen eigen samme same denne dette disse desse siden sidan
    allerede alltid aldri fortsatt framleis bare berre jeg eg du meg deg oss dem ham henne min mitt mine
    ved nei ja kun ut inn opp ned gang
    the of and to in is was with has have not for on at by be been are an from this that his her their
    she he they will would should can may no patient needs lives about after before during wants
    bolig bustad leilighet leilegheit husvære hybel arbeid jobb arbeidsgiver skole utdanning fagbrev kurs
    økonomi gjeld inkassosak bankkonto konto legitimasjon inntekt stønad ytelse søknad søke søkt økonomisk
    familie barn samboer kone mann mor far foreldre søster bror venner nettverk kontakt kontaktperson
    fengsel soning løslates løslatelse løslatt lauslating permisjon dom domfelt innsatt arrest avdeling
    lege fastlege tannlege sykehus sjukehus behandling behandla behandlet oppfølging medisin medisiner
    diagnose smerter søvn helse psykisk somatisk vurdering undersøkelse kontroll time avtale henvist
    trenger treng ønsker ønskjer ønske behov plan mål uke uker måned måneder år dag dager dato
    pasient pasienten bruker brukaren innsette møter møte hjelp støtte bor bur flytte kommune kommunen
    nav ukjent ingen god bra dårlig stabil stabilt normal normale alvorlig moderat lett tidligere nå
    begge høyre venstre mg tablett tabletter daglig morgen kveld hver gjennomført startet avsluttet
    mandag tirsdag onsdag torsdag fredag lørdag søndag januar februar juni juli oktober desember
    pga inkl ift mtp evt ang ca kl tlf pas pasienter blodtrykk puls temp lab rtg ekg crp normalt
    søvnløs hodepine brystsmerter vondt nøkler brev dokumentasjon sendt sendes ettersendes snarest
    oppsummering aktuelt status tiltak bakgrunn anamnese konklusjon funn innlagt utskrevet
    """
)
_FOREIGN = _words(
    """
    och inte är ett att från också mycket när hon jag vi ni där här eller utan efter hos bostad
    af hvad meget nogen noget blev
    und der die das nicht ist ein eine mit auf für dem den von zu sich auch wird
    nie jest się na do że to z w dla ma od po jak ale czy był była oraz przez mieszkanie
    waa iyo in uu ku ka ayaa la si aan ma oo soo wuxuu guri u baahan tahay
    lea ja ii mun don son dat leat go lei maid muhto ovdal dárbbaša
    le des et est une un que qui dans pour sur avec il elle
    el los las es una por para con como pero está
    bir ve bu için çok değil ile
    yra ir kad su iš ne į
    nu este și în cu pe care are nevoie ajutor locuință
    ona ono oni jego jej pije pił mam mieszka bez gdzie potrzebuje codziennie pracy domu
    nego emu eyo neyo nyego pyot pil net yest ochen posle raboty rabotu doma nado nuzhno bolshe
    hij heeft geen woning zij wordt zijn naar niet moet werk
    nema svaki svaki dan nije treba gdje imam bolesno posao pomoć kuću
    neturi jam jai reikia darbu gyventi pagalbos nuk ka shtëpi dhe punë
    """
)
_OTHER_SHAPE = re.compile(r"zh|shch|cz|sz|rz|dzi|yy$|iyo|ayo|aax|uux|xa[aln]|qa[abd]|ije$")
_OTHER_LETTERS = frozenset("äöüßłąężźćńśščžđŋŧňřěůçşğñãõîâășțėųūāēīļķ")
_NOT_LATIN = re.compile(r"[^\u0000-\u024f]")


def other_script(text: str) -> bool:
    """Whether a word of two letters or more holds a letter outside the Latin alphabet, in a text
    whose look-alikes are already folded. A single Greek letter is a symbol."""
    return any(len(word) > 1 and _NOT_LATIN.search(word) for word in _WORD.findall(text))


def is_norwegian_or_english(text: str, *, short: int) -> bool:
    """Whether enough of the words are known. Fewer than `short` words prove nothing: yes."""
    words = _WORD.findall(text.lower())
    long_enough = [word for word in words if len(word) > 1]
    if len(long_enough) < short:
        return True
    known = sum(word in _KNOWN for word in words)
    foreign = sum(word not in _KNOWN and _foreign(word) for word in long_enough)
    return known * 6 >= len(long_enough) and foreign * 3 <= known


def _foreign(word: str) -> bool:
    return word in _FOREIGN or _OTHER_SHAPE.search(word) is not None or not _OTHER_LETTERS.isdisjoint(word)


_MOST_IN_A_NAME = 2
"""Words in lower case in a name, an address or a place: `Elvestad videregående skole`."""


def is_prose(text: str) -> bool:
    """Whether a line that should be a name, an address or a code says something in words. Words in
    capitals from end to end count like words in small letters."""
    if text.isupper():
        text = text.lower()
    small = [word for word in _WORD.findall(text) if word.islower() and len(word) > 1]
    return len(small) > _MOST_IN_A_NAME
