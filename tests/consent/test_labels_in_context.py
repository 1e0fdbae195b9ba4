"""What only the whole message, its sender or a packed part gives away."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pytest

from consent.combinations import Combination, Combinations, Effect, Sign, Within, load_combinations
from consent.labels import label, load_codes
from hub.errors import HubError
from hub.message import Agency, Category, Item, Leaf, Record, Sector

CODE_LISTS = load_codes()
ICD, ATC = "7110", "7180"
OID = "2.16.578.1.12.4.1.1."
S, H, U = Category.SUBSTANCE_USE, Category.SOMATIC_HEALTH, Category.UNKNOWN
M, C = Category.MENTAL_HEALTH, Category.CUSTODY
GP = Agency("1", "Legesenteret", Sector.GP)
CLINIC = Agency("2", "Klinikken", Sector.TSB)
UNIT = Agency("3", "Enheten", Sector.MUNICIPALITY_HEALTH, reveals=frozenset({S}))


def leaf(path: str, value: object, *, free: bool = False, system: str | None = None) -> Leaf:
    return Leaf(path, value, frozenset({H}), free, system)


def items(*leaves: Leaf, sender: Agency | None = GP) -> dict[str, Item]:
    return {item.path: item for item in label(Record("t", {}), leaves, CODE_LISTS, sender).items}


MORPHINE = leaf("m[0].kode", "N02AA01", system=ATC)


@pytest.mark.parametrize(("sender", "tells"), [(GP, False), (None, False), (CLINIC, True), (UNIT, True)])
def test_a_pain_medicine_tells_what_its_sender_is(sender: Agency | None, tells: bool) -> None:
    assert (S in items(MORPHINE, sender=sender)["m[0].kode"].categories) is tells


@pytest.mark.parametrize(
    "other",
    [
        leaf("d[0].kode", "F11.2", system=ICD),
        leaf("tekst", "Pasienten er i LAR.", free=True),
        Leaf("rus.behov", "stort", frozenset({S})),
    ],
)
def test_a_pain_medicine_beside_substance_use_is_substance_use(other: Leaf) -> None:
    assert S in items(MORPHINE, other)["m[0].kode"].categories
    assert S not in items(MORPHINE, leaf("d[0].kode", "S72.0", system=ICD))["m[0].kode"].categories


def test_tobacco_stays_health_in_every_context() -> None:
    got = items(leaf("d[0].kode", "F17.2", system=ICD), leaf("d[1].kode", "F11.2", system=ICD), sender=CLINIC)

    assert S not in got["d[0].kode"].categories


@pytest.mark.parametrize("word", ["overdose i januar", "Bruker Sobril", "gress", "Henter daglig på apotek"])
def test_a_doubt_goes_to_health_and_waits_for_a_reader_elsewhere(word: str) -> None:
    got = items(leaf("a[0].navn", word), leaf("a[0].dato", "2026-01-01"), leaf("b", "ro"))

    assert {path: (set(item.categories), item.free_text) for path, item in got.items()} == {
        "a[0].navn": ({H}, True),
        "a[0].dato": ({H}, True),
        "b": ({H}, False),
    }


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("Overdose etter tilbakefall", True),
        ("Overdose. " + "Trenger bolig og jobb. " * 5 + "Tilbakefall.", False),
        ("Tilbakefall og nytt tilbakefall", False),
        ("Overdose, fikk gress", False),
    ],
)
def test_two_likely_words_near_each_other_confirm_each_other(text: str, tells: bool) -> None:
    assert (S in items(leaf("x", text))["x"].categories) is tells


def test_what_tells_is_not_lessened_by_a_doubt() -> None:
    got = items(leaf("a[0].navn", "heroin"), leaf("a[0].merke", "overdose"))

    assert all(S in item.categories and not item.free_text for item in got.values())


COMBINED = [
    ([("d[0].kode", "B18.2", ICD), ("m[0].kode", "V03AB15", ATC)], {"d[0].kode", "m[0].kode"}),
    ([("d[0].tekst", "Hepatitt C", None), ("m[0].dosering", "depotinjeksjon hver uke", None)],
     {"d[0].tekst", "m[0].dosering"}),
    ([("m[0].form", "depotinjeksjon", None), ("m[0].dosering", "ukentlig", None)],
     {"m[0].form", "m[0].dosering"}),
    ([("m[0].form", "sublingvaltablett", None), ("m[0].dosering", "utleveres overvåket, daglig", None)],
     {"m[0].form", "m[0].dosering"}),
    ([("m[0].form", "depotinjeksjon", None), ("m[1].dosering", "ukentlig", None)], set()),
    ([("d[0].kode", "B18.2", ICD)], set()),
    ([("d[0].kode", "D72", ICD), ("m[0].x", "overvåket", None)], set()),
    ([("d[0].kode", "D72", "7170"), ("m[0].x", "overvåket", None)], {"d[0].kode", "m[0].x"}),
    ([("d[0].kode", "A01 -> D72", "7170"), ("m[0].x", "overvåket", None)], {"d[0].kode", "m[0].x"}),
    ([("d[0].kode", "B18.2", ICD), ("m[0].kode", "V03AB15", ATC), ("m[0].x", "daglig", None)],
     {"d[0].kode", "m[0].kode", "m[0].x"}),
    ([("d[0].kode", "B18.2", ICD), ("m[0].kode", "V03AB15", ATC), ("x", "daglig", None)],
     {"d[0].kode", "m[0].kode"}),
    ([("m[0].form", "overvåket", None), ("m[0].dosering", "daglig på apotek", None)],
     {"m[0].form", "m[0].dosering"}),
    ([("a", "sublingval", None), ("b", "daglig", None)], set()),
    ([("a", "sublingval daglig", None)], {"a"}),
    ([("m[0].a", "depotinjeksjon", None), ("m[0].b", "hepatitt C", None), ("x", "ukentlig", None)],
     {"m[0].a", "m[0].b", "x"}),
    ([("m[0].form", "tablett", None), ("m[0].dosering", "daglig", None)], set()),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("given", "raised"), COMBINED)
def test_harmless_signs_tell_together(given: list[tuple[str, str, str | None]], raised: set[str]) -> None:
    got = items(*(leaf(path, value, system=system) for path, value, system in given))

    assert {path for path, item in got.items() if S in item.categories} == raised


def test_a_medicine_is_raised_as_a_whole_statement() -> None:
    got = items(leaf("m[0].navn", "Preparat A"), leaf("m[0].dosering", "sublingvaltablett under påsyn"))

    assert S in got["m[0].navn"].categories


def test_every_combination_is_needed() -> None:
    known = load_combinations()
    for rule in known.rules:
        paths = {f"{sign}[0]" if rule.within is Within.MESSAGE else f"a[0].{sign}": sign for sign in rule.of}
        signs = {path: frozenset({sign}) for path, sign in paths.items()}
        parts = {path: path.partition(".")[0] for path in paths}
        assert set(known.given_away(signs, parts).values()) == {rule.effect}
        others = Combinations(known.signs, tuple(other for other in known.rules if other is not rule))
        assert others.given_away(signs, parts) != known.given_away(signs, parts)
        for path in signs:
            fewer = {other: sign for other, sign in signs.items() if other != path}
            assert set(known.given_away(fewer, parts)) != set(signs)


SIGNS = "signs: {a: {words: [b], codes: ['7110:B1', '7180:N07']}, c: {words: [d e], codes: []}}\n"
RULE = "{id: x, effect: hold, within: element, of: [a, c]}"


def test_combinations_are_loaded_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"{SIGNS}combinations: [{RULE}]")

    assert load_combinations(path) == Combinations(
        (Sign("a", ("b",), (("7110", "B1"), ("7180", "N07"))), Sign("c", ("d e",), ())),
        (Combination("x", Effect.HOLD, Within.ELEMENT, frozenset({"a", "c"})),),
    )


NOT_CLEAR: list[tuple[str, set[tuple[str, str]]]] = [
    (f"signs: {{}}\ncombinations: [{RULE}]", {("combinations[0].of", "signs"), ("/", "id")}),
    (f"signs: 3\ncombinations: [{RULE}]", {("combinations[0].of", "signs"), ("/", "id")}),
    (f"{SIGNS}combinations: []", {("/", "id")}),
    (f"{SIGNS}combinations: 3", {("/", "id")}),
    (f"{SIGNS}combinations: [{RULE}, {RULE}]", {("/", "id")}),
    (f"{SIGNS}combinations: [{RULE}]\nmore: 1", {("/.more", "unknown-key")}),
    (f"{SIGNS}combinations: [{RULE.replace('id: x, ', '')}]", {("combinations[0].id", "missing")}),
    (f"{SIGNS}combinations: [{RULE.replace('hold', 'shout')}]", {("combinations[0].effect", "code")}),
    (f"{SIGNS}combinations: [{RULE.replace('element', 'world')}]", {("combinations[0].within", "code")}),
    (f"{SIGNS}combinations: [{RULE.replace('a, c', 'a')}]", {("combinations[0].of", "signs")}),
    (f"{SIGNS}combinations: [{RULE.replace('a, c', 'a, z')}]", {("combinations[0].of", "signs")}),
    (f"{SIGNS.replace('7110:B1', '7110')}combinations: [{RULE}]", {("signs.a.codes", "code")}),
    (f"{SIGNS.replace('7110:B1', ':B1')}combinations: [{RULE}]", {("signs.a.codes", "code")}),
    (f"{SIGNS.replace('codes: []', 'codes: 3')}combinations: [{RULE}]", {("signs.c.codes", "code")}),
    (f"{SIGNS.replace(', codes: []', '')}combinations: [{RULE}]",
     {("signs.c.codes", "missing"), ("signs.c.codes", "code")}),
    (f"{SIGNS.replace('[b]', '[]')}combinations: [{RULE}]", {("signs.a.words", "texts")}),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("text", "found"), NOT_CLEAR)
def test_combinations_that_are_not_clear_are_refused(
    tmp_path: Path, text: str, found: set[tuple[str, str]]
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)

    with pytest.raises(HubError, match=r"policy\.invalid") as caught:
        load_combinations(path)

    assert {(finding.at, finding.rule) for finding in caught.value.findings} == found


def test_raising_wins_wherever_the_rule_stands() -> None:
    rules = [Combination(effect, effect, Within.MESSAGE, frozenset("ab")) for effect in Effect]
    signs = {"x": frozenset("a"), "y": frozenset("b"), "z": frozenset("c")}

    for order in (rules, rules[::-1]):
        found = Combinations((), tuple(order)).given_away(signs, {})
        assert found == {"x": Effect.RAISE, "y": Effect.RAISE}


def packed(text: str, depth: int) -> str:
    for _ in range(depth):
        text = base64.b64encode(gzip.compress(text.encode())).decode()
    return text


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_packed_text_is_read(depth: int) -> None:
    got = items(leaf("vedlegg", f"Se her: {packed('Pasienten bruker heroin', depth)} takk", free=True))

    assert S in got["vedlegg"].categories


def test_a_text_packed_too_deep_is_unknown() -> None:
    assert U in items(leaf("v", packed("Pasienten bruker heroin", 8)))["v"].categories


def test_a_picture_in_a_text_is_unknown() -> None:
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(60))).decode()

    assert U in items(leaf("v", picture))["v"].categories


@pytest.mark.parametrize(
    ("code", "tells"),
    [("NPU16494", True), ("npu 16494", True), ("NOR25618", True), ("Nor 25618", True), ("NPU19651", False),
     ("16494", False), ("NPU1649", False)],
)  # one row per case # fmt: skip
def test_a_laboratory_code_in_a_text_is_looked_up(code: str, tells: bool) -> None:
    assert (S in items(leaf("v", f"Rekvirert {code} i dag"))["v"].categories) is tells


def test_what_a_code_tells_is_declared_for_all_around_it_and_what_words_tell_is_not() -> None:
    got = items(
        leaf("d[0].kode", "F32.1", system=ICD),
        leaf("d[0].annen.kode", "Z65.1", system=ICD),
        leaf("d[0].tekst", "heroin"),
        leaf("d[1].kode", "22298006", system="http://snomed.info/sct"),
        leaf("d[1].tekst", "ro"),
        leaf("kode", "F32.1", system=ICD),
        leaf("gruppe.koder[0]", "F32.1", system=ICD),
        leaf("gruppe.koder[1]", "Z65.1", system=ICD),
        leaf("gruppe.tekst", "ro"),
        leaf("annet", "ro"),
    )

    assert {
        path: (set(item.declared), set(item.categories - item.declared)) for path, item in got.items()
    } == {
        "d[0].kode": ({H, M, C}, {S}),
        "d[0].annen.kode": ({H, M, C}, {S}),
        "d[0].tekst": ({H, M, C}, {S}),
        "d[1].kode": ({H}, {U}),
        "d[1].tekst": ({H}, {U}),
        "kode": ({H, M}, set()),
        "gruppe.koder[0]": ({H, M, C}, set()),
        "gruppe.koder[1]": ({H, M, C}, set()),
        "gruppe.tekst": ({H, M, C}, set()),
        "annet": ({H}, set()),
    }


def test_what_two_leaves_raise_holds_for_the_third() -> None:
    got = items(leaf("a[0].x", "heroin"), leaf("a[0].y", "Владимир"), leaf("a[0].z", "ro"))

    assert got["a[0].z"].categories == {H, S, U}


def test_a_code_may_be_a_number() -> None:
    assert S in items(leaf("d.kode", 75544000, system="http://snomed.info/sct"))["d.kode"].categories


WAITS = [
    ([leaf("x", "ro")], {"x": (False, False)}),
    ([leaf("x", "ro", free=True)], {"x": (True, False)}),
    ([leaf("x", "går til legen ofte")], {"x": (True, False)}),
    ([leaf("x", "går til legen ofte", system=ICD)], {"x": (False, False)}),
    ([leaf("x", 3)], {"x": (False, False)}),
    ([leaf("x", "overdose")], {"x": (True, True)}),
    ([leaf("x", "Bruker Sobril daglig")], {"x": (True, True)}),
    ([leaf("x", "daglig")], {"x": (False, False)}),
    ([leaf("a[0].x", "daglig"), leaf("a[0].y", "apotek"), leaf("a[1].x", "ro")],
     {"a[0].x": (True, True), "a[0].y": (True, True), "a[1].x": (False, False)}),
    ([leaf("a[0].x", "overdose"), leaf("a[0].b[1].x", "ro"), leaf("b", "ro")],
     {"a[0].x": (True, True), "a[0].b[1].x": (True, True), "b": (False, False)}),
    ([leaf("a[0].x", "Владимир"), leaf("a[0].y", "ro")],
     {"a[0].x": (False, False), "a[0].y": (False, False)}),
    ([leaf("a[0]", "overdose"), leaf("a[1]", "ro")], {"a[0]": (True, True), "a[1]": (False, False)}),
    ([leaf("a.x", "overdose"), leaf("a.y", "ro")], {"a.x": (True, True), "a.y": (False, False)}),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("leaves", "waits"), WAITS)
def test_what_waits_for_a_reader(leaves: list[Leaf], waits: dict[str, tuple[bool, bool]]) -> None:
    got = items(*leaves)

    assert {path: (item.free_text, item.doubt) for path, item in got.items()} == waits


def test_a_leaf_tells_with_its_words_its_codes_and_what_is_packed_in_it() -> None:
    hidden = base64.b64encode(b"Tas sublingvalt her").decode()

    assert S in items(leaf("x", f"Daglig. {hidden}"))["x"].categories
    assert S not in items(leaf("x", f"Sjelden. {hidden}"))["x"].categories
    assert S in items(leaf("x", "B18.2 overvåket", system=ICD))["x"].categories
    assert S not in items(leaf("x", "B18.3 overvåket", system=ICD))["x"].categories
    assert S in items(leaf("x", "B18.2", system=f"urn:oid:{OID}7110"), leaf("y", "nyxoid"))["x"].categories
    assert S not in items(leaf("x", "B18.2", system="urn:x"), leaf("y", "nyxoid"))["x"].categories


@pytest.mark.parametrize(("word", "free", "unknown"), [("x#" * 24, True, True), ("x#" * 24, False, False),
                                                       ("x#" * 23, True, False)])  # a table # fmt: skip
def test_in_prose_a_word_longer_than_words_is_unknown(word: str, free: bool, unknown: bool) -> None:
    assert (U in items(leaf("x", f"Se {word}", free=free))["x"].categories) is unknown


def test_a_name_or_an_id_is_no_packed_text() -> None:
    for plain in (
        "550e8400-e29b-41d4-a716-446655440000",
        "KommunalBoligTjeneste",
        "a" * 40,
        "01234567890123456789",
    ):
        assert U not in items(leaf("v", plain))["v"].categories
