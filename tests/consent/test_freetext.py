"""Words that point to substance use are found however they are written; their false friends are not."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.freetext import Hit, Strength, load_terms, normalise, readable, scan, scan_all
from hub.errors import HubError

REFERENCE = Path(__file__).parents[3] / "shared" / "consent" / "data" / "freetext_probes.csv"
ORDER = ["0", "W", "M", "S"]


def strongest(text: str) -> str:
    return max((hit.strength.value for hit in scan(text)), key=ORDER.index, default="0")


FOUND = [
    ("Hun trenger hjelp med rusproblemene sine.", "S"),
    ("Treng oppfølging for rusavhengnad.", "S"),
    ("Fråhaldssymptom i natt.", "S"),
    ("Ble avruset i mai.", "S"),
    ("Ruser seg i helgene.", "S"),
    ("Får Suboxone hver morgen.", "S"),
    ("Fulgt opp av LAR.", "S"),
    ("Henvist til TSB-poliklinikk.", "S"),
    ("AUDIT 22 poeng.", "S"),
    ("Skåret 31 på DUDIT-E", "S"),
    ("PEth 0,8", "S"),
    ("Diagnose F11.2", "S"),
    ("Diagnose F1120", "S"),
    ("Diagnose F 11.2", "S"),
    ("Z50.30 utlevering", "S"),
    ("N07BC02", "S"),
    ("History of alcohol dependence.", "S"),
    ("Currently on METHADONE", "S"),
    ("Uren prøve i går", "S"),
    ("Nedtrapping av benzodiazepiner", "S"),
    ("Bor på Tyrili.", "M"),
    ("Var i rus da det skjedde.", "M"),
    ("Ruspedagogisk tiltak", "M"),
    ("Jobber med ruspolitikk", "M"),
    ("P19", "M"),
    ("NPU16494 bestilt", "M"),
    ("Avhengig av hjelp", "W"),
    ("Bruker Sobril ved behov", "M"),
]


@pytest.mark.parametrize(("text", "strength"), FOUND)
def test_a_term_is_found_with_its_strength(text: str, strength: str) -> None:
    assert strongest(text) == strength


FALSE_FRIENDS = [
    "Benken er av rustfritt stål, uten rust.",
    "Han er russ i år, og russetiden er lang.",
    "Russisk statsborger, snakker russisk.",
    "Rusler til jobb i rushtiden.",
    "Kari Rusten og Lars Rustad i Ruseløkkveien.",
    "Brus, grus, virus, citrus, frustrert, hustru, truse.",
    "Lars og Lara Larsen bor i Larvik.",
    "Revisjon: audit etter ISO 27001.",
    "Rop om hjelp fra naboen.",
    "Narkose ved operasjonen, narkolepsi utelukket.",
    "Stoffskiftet er stabilt.",
    "Uavhengig av dette.",
    "Lykkerus er et annet ord.",
    "Rehabilitering etter hoftebrudd.",
    "Ruset motoren; ruse i fjorden.",
    "Paracetamol og dopamin.",
    "F17.2",
    "Trenger bolig, jobb og bankkonto.",
]


@pytest.mark.parametrize("text", FALSE_FRIENDS)
def test_a_false_friend_is_no_hit(text: str) -> None:
    assert scan(text) == ()


DISGUISES = [
    "r u s m i s b r u k",
    "r.u.s.m.i.s.b.r.u.k",
    "r  u  s  m  i  s  b  r  u  k",
    "R-U-S-M-I-S-B-R-U-K",
    "RUSMISBRUK",
    "rus\u00admisbruk",
    "rus\u200bmisbruk",
    "rus\u2060misbruk",
    "\u202erusmisbruk\u202c",
    "rus-\nmisbruk",
    "rus\u00ad\nmisbruk",
    "rus\u2011\r\n  misbruk",
    "rus\x00mis\x01bruk\x03",
    "ru\u0455misbruk",
    "\u0433usmisbruk r\u057dsmisbruk rusmisbru\u043a",
    "rusmi\u03c2bruk rusmisbru\u03ba",
    "r\u0335u\u0335s\u0335m\u0335i\u0335s\u0335b\u0335r\u0335u\u0335k",
    "\uff52\uff55\uff53\uff4d\uff49\uff53\uff42\uff52\uff55\uff4b",
    "𝐫𝐮𝐬𝐦𝐢𝐬𝐛𝐫𝐮𝐤",
    "r&#117;smisbruk",
    "&amp;#114;usmisbruk",
    "%72usmisbruk",
    "rus<b>mis</b>bruk",
    "rus&lt;i&gt;misbruk",
    "rusm&iacute;sbruk",
    "_rusmisbruk_",
    "«rusmisbruk»",
    "r/u/s/m/i/s/b/r/u/k",
    "r,u,s,m,i,s,b,r,u,k",
    "r·u·s·m·i·s·b·r·u·k",
    "r | u | s | m | i | s | b | r | u | k",
    "r\nu\ns\nm\ni\ns\nb\nr\nu\nk",
    "alkohol.misbruk alko_holmisbruk",
    "her/oin",
    "her(oin)",
    "ruspro..blem",
    "substance,Legemiddel-misbruk",
    "rusm!sbruk",
    "a1koholmisbruk",
    "a|koholmisbruk",
    "alkohol-m1sbruk",
    "r\\u0075smisbruk",
    "r%u0075smisbruk",
    "r\\x75smisbruk",
    "r\\u{75}smisbruk",
    "r\\U00000075smisbruk",
    "\\ud835\\udc2b\\u0075smisbruk",
    "🅡🅤🅢🅜🅘🅢🅑🅡🅤🅚",
    "🆁🆄🆂🅼🅸🆂🅱🆁🆄🅺",
    "🇷🇺🇸🇲🇮🇸🇧🇷🇺🇰",
    "notat" + "".join(chr(0xE0000 + ord(c)) for c in "rusmisbruk"),
    "rus" + "".join(chr(0xE0000 + ord(c)) for c in "ok") + "misbruk",
]


@pytest.mark.parametrize("text", DISGUISES)
def test_a_disguise_is_seen_through(text: str) -> None:
    assert strongest(text) == "S"
    assert strongest(f"Han har hatt {text} siden mai") == "S"


def test_norwegian_letters_are_kept() -> None:
    assert normalise("Ære være pa\u030a Øya") == "Ære være på Øya"
    assert strongest("rusp\u0061\u030avirket") == "S"


def test_two_terms_side_by_side_are_both_found() -> None:
    assert [
        hit.term_id for hit in scan("rust rusmiljø heroin kokain") if hit.strength is Strength.STRONG
    ] == [
        "drugs",
        "drugs",
    ]
    assert strongest("rust rusmiljø") == "M"


def test_a_hit_says_where_and_not_what() -> None:
    text = "Får metadon,  og var i LAR"

    hits = scan(text)

    assert [normalise(text)[hit.start : hit.end] for hit in hits] == ["metadon", "LAR"]
    assert "metadon" not in repr(hits)
    assert isinstance(hits[0], Hit)


READABLE = [
    ("Bolig", True),
    ("Trenger leilighet i Fjordvik", True),
    ("Brukaren ønskjer å kome seg i arbeid etter soninga.", True),
    ("Pasienten har hatt vondt i ryggen siden mars.", True),
    ("The patient needs housing after release.", True),
    ("Har gjeld, ønsker jobb innen bygg", True),
    ("Nivå 3 µmol/L og β-blokker ved behov", True),
    ("Nie ma mieszkania i potrzebuje pomocy", False),
    ("Han bor inte här längre och behöver hjälp", False),
    ("Er hat keine Wohnung und braucht Hilfe", False),
    ("Wuxuu u baahan yahay guri iyo shaqo", False),
    ("", True),
    ("Mun dárbbašan viessu ja veahki", False),
    ("У него нет жилья", False),
    ("Трезвый", False),
    ("ابحث عن سكن", False),
    ("Bor hos mor, но пьёт", False),
    ("xqz wvu trp mnb klo", False),
]


SHORT = [
    ("bil hus", True, True),
    ("bil hus vei", True, False),
    ("bil hus vei tre stein sand grus", False, True),
    ("bil hus vei tre stein sand grus berg", False, False),
    ("<table><tbody><tr><td>bolig</td></tr></tbody></table>", True, True),
    ("Bor h\u043es mor", True, True),
    ("Bor hos морж", True, False),
]


@pytest.mark.parametrize(("text", "prose", "expected"), SHORT)
def test_few_words_prove_nothing_and_markup_is_no_word(text: str, prose: bool, expected: bool) -> None:
    assert readable(text, prose=prose) is expected


@pytest.mark.parametrize(("text", "expected"), READABLE)
def test_only_norwegian_and_english_in_latin_letters_are_readable(text: str, expected: bool) -> None:
    assert readable(text) is expected


def test_a_name_needs_no_known_language_but_known_letters() -> None:
    assert readable("Wojciech Brzęczyszczykiewicz", prose=False)
    assert not readable("Владимир", prose=False)
    assert not readable("On pije w domu codziennie i na ulicy bez pracy jego", prose=False)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_scanned_and_normalising_is_stable_in_its_hits(text: str) -> None:
    hits = scan(text)
    length = len(normalise(text))

    assert all(0 <= hit.start < hit.end <= length for hit in hits)
    assert isinstance(readable(text), bool)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(whitelist_categories=["Zs", "Po"]), max_size=10), st.integers(0, 10))
def test_what_stands_around_a_term_hides_nothing(around: str, cut: int) -> None:
    text = f"{around[:cut]} rusmisbruk {around[cut:]}"
    if "&" not in text and "%" not in text:
        assert strongest(text) == "S"


NASTY = ["a-", "a1b", "r u s ", "§ 12 ", "rus"]
NASTY += ["rus ", "r u ", "&amp;", "<", "-\n ", "%25", "r\u0301", "a", "ааа ", "F1", "\u200b"]


@pytest.mark.parametrize("piece", NASTY)
def test_time_grows_with_the_length_and_no_faster(piece: str) -> None:
    def took(repeats: int) -> float:
        text = piece * repeats
        start = time.process_time()
        scan(text)
        readable(text)
        return time.process_time() - start

    scan("warm")
    short = max(min(took(4_000) for _ in range(3)), 0.002)

    assert took(32_000) < 8 * short * 4  # quadratic would be 64 times


def test_the_reference_probes_come_out_as_expected(absent_reference: Callable[[str, int], None]) -> None:
    if not REFERENCE.exists():
        absent_reference(REFERENCE.name, 58)
        return
    rows = list(csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()))

    wrong = [
        number
        for number, row in enumerate(rows, 2)
        if (strongest(row["sentence"]) == "0")
        if row["expected_max_strength"] == "normalise"
    ] + [
        number
        for number, row in enumerate(rows, 2)
        if row["expected_max_strength"] in ORDER
        and strongest(row["sentence"]) != row["expected_max_strength"]
    ]

    assert len(rows) == 58
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("- {id: a, class: b, strength: X, words: [rus]}", "code"),
        ("- {id: a, class: b, strength: S, words: []}", "texts"),
        ("- {id: a, class: b, strength: S, words: ['ru(s']}", "word"),
        ("- {id: a, class: b, strength: S, words: ['r*s']}", "word"),
        ("- {id: a, class: b, strength: S, words: [rus], cas: true}", "unknown-key"),
        (
            "- {id: a, class: b, strength: S, words: [rus]}\n- {id: a, class: b, strength: S, words: [rus]}",
            "id",
        ),
        ("", "id"),
    ],
)
def test_a_list_of_terms_that_is_not_clear_is_refused(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "terms.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(HubError) as caught:
        load_terms(tmp_path / "terms.yaml")

    assert rule in {finding.rule for finding in caught.value.findings}


def test_every_word_of_the_list_finds_itself() -> None:
    for term in load_terms():
        for word in term.words:
            text = word.replace("*", "").replace("#", "1")
            if not any(word.startswith(other.rstrip("*")) for other in term.unless):
                assert term.id in {hit.term_id for hit in scan(text)}, word


def disguises(word: str) -> dict[str, str]:
    """Every way of breaking a word that must change nothing."""
    half = len(word) // 2
    a, b = word[:half], word[half:]
    swap = str.maketrans("aeopcyx", "аеорсух")
    return {
        "soft hyphen": f"{a}\u00ad{b}",
        "zero width": f"{a}\u200b{b}",
        "joiner": f"{a}\u200d{b}",
        "line end": f"{a}-\n{b}",
        "line end with soft hyphen": f"{a}\u00ad\n{b}",
        "spelt out": " ".join(word),
        "spelt with dots": ".".join(word),
        "look-alikes": word.translate(swap),
        "wide": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word),
        "entities": "".join(f"&#{ord(c)};" for c in word),
        "entities twice": "".join(f"&amp;#{ord(c)};" for c in word),
        "percent": "".join(f"%{byte:02x}" for byte in word.encode()),
        "combining": "".join(f"{c}\u0335" for c in word),
        "markup": f"{a}<b>{b}</b>",
        "comment": f"{a}<!-- x -->{b}",
        "cdata": f"{a}<![CDATA[{b}]]>",
        "in a comment": f"<!-- {word} -->",
        "in an attribute": f'<p title="{word}">ro</p>',
        "in an instruction": f"<?note {word}?>",
        "capitals": word.upper(),
    }


STRONG_WORDS = sorted(
    {
        word.strip("*")
        for term in load_terms()
        if term.strength is Strength.STRONG and not term.case
        for word in term.words
        if word.strip("*").isalpha() and len(word.strip("*")) > 4
    }
)


def test_no_way_of_breaking_a_strong_word_hides_it() -> None:
    assert len(STRONG_WORDS) > 500
    clean = [word for word in STRONG_WORDS if strongest(f"Se {word} her") == "S"]
    assert len(clean) == len(STRONG_WORDS)
    kinds = disguises("rusmisbruk")
    hidden = [
        (word, kind)
        for kind in kinds
        for word, hits in zip(
            clean, scan_all([f"Se {disguises(word)[kind]} her" for word in clean]), strict=True
        )
        if Strength.STRONG not in {hit.strength for hit in hits}
    ]

    assert hidden == []


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("han har r u s m i s b r u k", "S"),
        ("h a n r u s m i s b r u k e r", "S"),
        ("h a n  h a r  r u s m i s b r u k", "S"),
        ("L.A.R.", "S"),
        ("l.a.r.", "S"),
        ("LAR-pasient", "S"),
        ("alkohol-misbruk", "S"),
        ("r0smisbruk og her0in", "S"),
        ("§12-soning", "M"),
        ("§ 12 soning", "M"),
        ("F-16", "0"),
        ("joint-venture", "W"),
        ("Lars-Larvik", "0"),
        ("b r u s", "0"),
    ],
)
def test_a_text_is_read_twice_where_it_may_be_read_otherwise(text: str, strength: str) -> None:
    assert strongest(text) == strength


OTHER_LANGUAGES = [
    "On pije codziennie",
    "Potrzebuje mieszkania po wyjściu",
    "Jis neturi kur gyventi",
    "Jam reikia pagalbos su darbu",
    "Are nevoie de locuință și de ajutor",
    "El bea in fiecare zi",
    "U nego net zhilya i raboty",
    "On pyot kazhdyy den",
    "Emu nuzhna pomoshch posle osvobozhdeniya",
    "Wuu cabbaa maalin kasta",
    "Waxay u baahan tahay caawimaad",
    "Son dárbbaša veahki",
    "Mus ii leat viessu",
    "Bolesno pije svaki dan i nema stan",
    "Nuk ka shtëpi dhe punë",
    "Hij heeft geen woning en werk",
    "Tarvitsee asunnon ja työtä",
    "Evi yok ve yardıma ihtiyacı var",
    "Il boit tous les jours",
    "Necesita una vivienda",
    "ma fi bayt wa la shughl",
    "Nó không có nhà",
    "Ta potrzebuje pomocy",
    "Sie trinkt jeden Tag",
    "Hon dricker varje dag",
]
SHORT_NOTES = [
    "Trenger bolig",
    "Har jobb",
    "Ingen merknad",
    "Ønsker leilighet i Lade",
    "Hu treng bustad og arbeid",
    "Skal flytte til søster",
    "Takk for hjelpen",
    "Møtte til avtalt tid",
    "Søker om AAP",
    "Kan starte mandag",
    "Ok",
    "Se vedlegg",
    "Vondt i ryggen",
    "Bor hos mor",
    "Ryggsmerter siden mars, paracet ved behov",
    "Needs housing",
    "He lives with his mother",
    "Henter på apoteket hver morgen",
    "Samme problem som sist",
    "BT 120/80, puls 72",
    "Hb 14,2 CRP <5",
    "Etterlyser svar på søknad",
    "Ektefelle død 2019",
    "Jobbet som snekker tidligere",
    "Liker matlaging og fotball",
    "Ho vil gjerne ta fagbrev som tømrar",
    "Tynnlagt asfalt på veien",
    "Hjertefrekvens regelmessig",
    "Lever alene med hund",
    "Har sertifikat klasse B",
    "Vil på kurs for truckførere",
    "Svangerskap uke 20",
]


@pytest.mark.parametrize("text", OTHER_LANGUAGES)
def test_another_language_is_not_readable_however_short(text: str) -> None:
    assert not readable(text)


@pytest.mark.parametrize("text", SHORT_NOTES)
def test_a_short_note_is_readable(text: str) -> None:
    assert readable(text)
