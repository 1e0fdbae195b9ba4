"""The policy commands: what decides, trying it out, and two persons who switch it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consent.cases import run_cases
from consent.policy_files import load_pack
from hub import policy_diff
from hub.cli.main import main
from hub.demo.world import PERSON
from hub.errors import HubError
from hub.policy_diff import Change
from tests.hub.bench import Bench, consent
from tests.hub.cli.conftest import Said

KARI = ("--by", "Kari Lunde", "--document", "sak-2026-14")
PER = ("--by", "Per Moen", "--document", "sak-2026-14")
ALL = ("--days", "36500")


@pytest.fixture
def cli(
    bench: Bench, first_keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Run `bro` on the installation of the bench."""
    monkeypatch.setenv("BRO_STORE", bench.url)
    monkeypatch.setenv("BRO_KEYS", str(first_keys))
    monkeypatch.setenv("BRO_DIRECTORY", str(first_keys.parent / "directory.yaml"))

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(arguments)
        return Said(code, *capsys.readouterr())

    return run


Cli = Callable[..., Said]


def told(said: Said) -> dict[str, Any]:
    assert (said.code, said.err) == (0, "")
    found: dict[str, Any] = json.loads(said.out)
    return found


def deciding(cli: Cli) -> set[str]:
    return {row["row"] for row in told(cli("policy", "list", "--json"))["rows"] if row["decides"]}


def test_two_persons_in_two_calls_switch_a_flow_on_and_one_switches_it_off(cli: Cli) -> None:
    assert "L21/2" not in deciding(cli)
    first = cli("policy", "approve", "L21", *KARI)
    assert (first.code, "decides nothing until a second person" in first.out) == (0, True)
    assert "L21/2" not in deciding(cli)
    assert "L21 is approved by Kari Lunde and waits for a second person." in cli("policy", "list").out

    second = told(cli("policy", "approve", "L21", *PER, "--json"))
    assert second.pop("digest") == load_pack().form_digest("L21")
    assert second == {"flow": "L21", "rows": ["L21/1", "L21/2"], "persons": 2, "decides": True}
    assert {"L21/1", "L21/2"} <= deciding(cli)
    assert not {"L21a/1", "L21a/2", "L21b/1"} & deciding(cli)
    listed = {row["row"]: row for row in told(cli("policy", "list", "--json"))["rows"]}
    assert (listed["L21/2"]["approved"], listed["L21/2"]["approval"]["by"]) == (
        True,
        ["Kari Lunde", "Per Moen"],
    )

    assert (
        "Its strict form decides" in cli("policy", "revoke", "L21", "--by", "Per Moen", "--reason", "x").out
    )
    assert not {"L21/1", "L21/2"} & deciding(cli)
    assert {"L21a/1", "L21a/2", "L21b/1"} <= deciding(cli)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("approve", "L21", *KARI), "policy.step-refused"),  # she did already
        (("approve", "L99", *KARI), "policy.no-such-flow"),
        (("approve", "L47", "--by", "Per Moen", "--reason", "read"), "policy.step-refused"),  # sign-off
        (("revoke", "L22", "--by", "Per Moen", "--reason", "x"), "policy.step-refused"),
        (("show", "L99"), "policy.no-such-flow"),
        (("diff", "--to", "+L99"), "policy.no-such-flow"),
        (("diff", "--from", "+L21", "--to", "now"), "policy.no-such-flow"),
        (("diff", "--to", "lenient"), "policy.no-such-flow"),
    ],
)
def test_what_cannot_be_done_says_why_and_ends_with_two(
    cli: Cli, arguments: tuple[str, ...], code: str
) -> None:
    cli("policy", "approve", "L21", *KARI)

    said = cli("policy", *arguments)

    assert (said.code, said.out) == (2, "")
    assert code in said.err
    assert "Correct the files" not in said.err  # nothing is wrong with those


def test_show_tells_a_flow_in_both_forms_with_all_that_was_said_of_it(cli: Cli) -> None:
    cli("policy", "approve", "L21", *KARI)

    shown = told(cli("policy", "show", "L21", "--json"))

    assert shown["decides"] == ["L21a/1", "L21a/2", "L21b/1"]
    assert [row["row"] for row in shown["forms"]["statutory"]] == ["L21/1", "L21/2"]
    assert [(step["did"], step["by"], step["of_this_text"]) for step in shown["steps"]] == [
        ("approve", "Kari Lunde", True)
    ]
    said = cli("policy", "show", "L21").out
    for word in ("lov-1999-07-02-64 § 26", "Kari Lunde", "sak-2026-14", "decides now: L21a/1"):
        assert word in said
    assert told(cli("policy", "show", "L21b/1", "--json"))["flow"] == "L21"


def test_show_marks_the_rows_that_decide_before_and_after_a_flow_is_switched(cli: Cli) -> None:
    def on(form: str) -> dict[str, tuple[bool, bool]]:
        rows = told(cli("policy", "show", "L21", "--json"))["forms"][form]
        return {row["row"]: (row["switched_on"], row["approved"]) for row in rows}

    assert on("strict") == dict.fromkeys(("L21a/1", "L21a/2", "L21b/1"), (True, False))
    assert on("statutory") == dict.fromkeys(("L21/1", "L21/2"), (False, False))
    before = cli("policy", "show", "L21").out
    assert before.count("DECIDES NOW, though no agency's lawyer has approved it") >= 1
    assert before.count("decides nothing: the other form does") == 2

    fingerprint = re.search(r"fingerprint ([0-9a-f]{16})", before)
    assert fingerprint is not None
    for who in (KARI, PER):
        assert f"fingerprint {fingerprint[1]}." in cli("policy", "approve", "L21", *who).out

    assert on("strict") == dict.fromkeys(("L21a/1", "L21a/2", "L21b/1"), (False, False))
    assert on("statutory") == dict.fromkeys(("L21/1", "L21/2"), (True, True))
    after = cli("policy", "show", "L21").out
    assert after.count("decides nothing: the other form does") == 3
    assert "DECIDES NOW, approved" in after


def test_a_draft_and_a_row_of_other_days_are_marked(cli: Cli) -> None:
    draft = load_pack("statutory").drafts[0]
    assert "decides nothing: a draft" in cli("policy", "show", draft.flow).out
    assert "decides, but not for today" in cli("policy", "show", "L21").out  # L21a/1 and L21a/2


def test_a_request_on_file_is_not_called_a_property_of_a_consent(cli: Cli) -> None:
    assert "demands: request on file" in cli("policy", "show", "L01").out


@pytest.mark.parametrize("flow", [f"L{number:02}" for number in (1, 12, 20, 37, 50, 58)])
def test_show_tells_every_kind_of_row(cli: Cli, flow: str) -> None:
    assert cli("policy", "show", flow).code == 0


def test_list_shows_either_pack(cli: Cli) -> None:
    for name in ("strict", "statutory"):
        rows = told(cli("policy", "list", "--pack", name, "--json"))["rows"]
        pack = load_pack(name)
        assert [row["row"] for row in rows] == [row.ref for row in (*pack.rows, *pack.drafts)]


def test_the_cases_of_the_rows_are_asked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = list(run_cases())
    assert told(cli("policy", "cases", "--json")) == {"whole": True, "cases": len(ran), "faults": []}

    from dataclasses import replace

    monkeypatch.setattr("consent.cases.run_cases", lambda: iter([replace(ran[0], holds=False), ran[1]]))
    said = cli("policy", "cases")
    assert (said.code, f"FAULT {ran[0].name}" in said.out, "1 of 2 cases" in said.out) == (1, True, True)


def story(bench: Bench) -> None:
    """An epikrise to the GP and a referral to TSB, of which nothing is consented to."""
    bench.register_gp()
    bench.post("prison_health", "epikrise.fhir.json")
    bench.post("prison_health", "henvisning-2.json")
    bench.drain()
    bench.come_for_it("gp")


def test_diff_says_loudly_what_would_be_released_and_never_the_content(cli: Cli, bench: Bench) -> None:
    story(bench)

    said = cli("policy", "diff", "--to", "+L21", *ALL)
    found = told(cli("policy", "diff", "--to", "+L21", "--json", *ALL))

    assert said.code == 0
    assert said.out.startswith("WOULD BE RELEASED THAT WAS NOT")
    assert {group["agreement"] for group in found["released"]} == {"epikrise-fastlege"}
    assert {group["after"]["row"] for group in found["released"]} >= {"L21/2"}
    ids = {one for group in found["released"] for one in group["disclosures"]}
    assert ids == {row.id for row in bench.rows("gp")}
    assert found["withheld"] == []
    assert (found["from"]["pack"], found["to"]["pack"]) == ("strict", "strict+L21")
    assert found["looked_at"] >= 2
    for text in (said.out, json.dumps(found)):
        assert PERSON not in text
        assert "F11" not in text
        assert "opioid" not in text.lower()


def test_diff_the_other_way_says_what_would_no_longer_go(cli: Cli, bench: Bench) -> None:
    cli("policy", "approve", "L21", *KARI)
    cli("policy", "approve", "L21", *PER)
    story(bench)

    found = told(cli("policy", "diff", "--to", "-L21", "--json", *ALL))
    none = told(cli("policy", "diff", "--to", "now", "--json", *ALL))

    assert found["released"] == []
    assert {group["before"]["row"] for group in found["withheld"]} >= {"L21/2"}
    assert (none["released"], none["withheld"], none["ground"]) == ([], [], [])
    assert "Nothing would be released that was not." in cli("policy", "diff", "--to", "strict", *ALL).out


def test_diff_of_several_rows_is_the_sum_and_a_ground_that_changes_is_told(cli: Cli, bench: Bench) -> None:
    story(bench)

    both = told(cli("policy", "diff", "--to", "+L21", "--to", "+L23", "--json", *ALL))

    assert {group["agreement"] for group in both["released"]} == {"epikrise-fastlege", "henvisning-tsb"}
    assert {group["agreement"] for group in both["ground"]} >= {"epikrise-fastlege"}


def test_diff_decides_at_each_moment_on_what_was_known_then(bench: Bench) -> None:
    """A consent that came later does not make what was withheld look permitted, nor a date of the
    law that came later."""
    story(bench)
    bench.clock.forward(days=1)
    later = consent(
        "samtykke-nav.json",
        "senere",
        avsendere=["prison_health"],
        mottakere=["gp"],
        kategorier=["substance_use"],
        formal=["treatment"],
    )
    bench.post("prison_health", later)
    with bench.parts.store.reading() as view:
        strict = policy_diff.pack_named(view, bench.parts, "strict")
        then = policy_diff.pack_named(view, bench.parts, "+L21", strict)
        since = policy_diff.since(bench.parts, 30)
        report = policy_diff.compare(view, bench.parts, strict, then, since=since)
        late = policy_diff.compare(view, bench.parts, strict, then, since=bench.clock())

    reasons = {kind.before[0] for kind in report.of(Change.RELEASED)}
    assert reasons == {"decide.no-consent"}
    assert late.of(Change.RELEASED) == {}


def test_diff_counts_what_cannot_be_read_again(bench: Bench) -> None:
    story(bench)
    from hub.store.schema import person

    with bench.parts.store.writing() as tx:
        tx.execute(person.update().values(wrapped_key=None))
    with bench.parts.store.reading() as view:
        strict = policy_diff.pack_named(view, bench.parts, "strict")
        report = policy_diff.compare(
            view, bench.parts, strict, strict, since=policy_diff.since(bench.parts, 9)
        )

    assert (report.looked_at, report.unreadable) == (0, len(bench.rows()))


def test_a_pack_is_named_by_what_it_is(bench: Bench) -> None:
    with bench.parts.store.reading() as view:

        def named(name: str, *base: Any) -> Any:
            return policy_diff.pack_named(view, bench.parts, name, *base)

        strict = named("strict")
        one = named("+L21", strict)
        two = named("+L23", one)
        assert (two.name, named("-L21", two).name) == ("strict+L21+L23", "strict+L23")
        assert named("-L23", named("-L21", two)) == bench.parts.pack
        assert named("now") == bench.parts.pack
        for wrong in ("L21", "+", "+L99", "", "+strict"):
            with pytest.raises(HubError, match=r"policy\.no-such-flow"):
                named(wrong, strict)
