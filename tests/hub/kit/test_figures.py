"""Understands that the figures are of the message they say, and that a large document is refused soon."""

from __future__ import annotations

import json

import pytest

from adapters.fiks.package import write_package
from adapters.safe_json import read_json
from adapters.safe_xml import read_xml
from hub.cli.main import main
from hub.errors import HubError
from hub.kit.checked import cases, loaded
from hub.kit.figures import LARGE, figures, grown, unpacked

HUB = loaded()
WRITTEN = [a.name for a in HUB.registry.adapters if not a.name.startswith("json:")]


@pytest.mark.parametrize("name", WRITTEN)
def test_an_example_is_made_larger_and_still_fits_its_type(name: str) -> None:
    for case in cases(name, HUB):
        record = grown(case, 8_000)

        size = unpacked(case.adapter.render(record))
        assert size >= 8_000 or size == unpacked(case.adapter.render(grown(case, 9_000)))  # no more fits it
        assert case.spec.check(record.fields) == ()


def test_a_package_is_as_large_as_what_is_in_it() -> None:
    body = write_package({"innhold.json": b"a" * 50_000})

    assert len(body) < 5_000 < 50_000 <= unpacked(body) < 52_000
    assert unpacked(b"<a/>") == 4


@pytest.mark.parametrize("name", [*WRITTEN, "json:epikrise"])
def test_ten_megabytes_are_refused_and_memory_stays_near_the_document(name: str) -> None:
    for case in cases(name, HUB):
        found = figures(case, size=2_000, times=3)

        assert found.median > 0
        assert found.p99 >= found.median
        assert found.peak_ratio > 0
        outcomes = {large.outcome.partition(".")[0] for large in found.large}
        # A value that Digisos' formats drop may be of any length; everybody else refuses it.
        assert outcomes == ({"parse", "read"} if name.startswith("digisos") else {"parse"})
        assert max(large.peak_ratio for large in found.large) < 10
        assert max(large.seconds for large in found.large) < 10


@pytest.mark.parametrize(
    "body", [b"<a>" + b"<b/>" * (LARGE // 4) + b"</a>", b'{"a":[' + b"1," * (LARGE // 2) + b"1]}"]
)
def test_what_is_too_wide_is_refused_before_it_unfolds(body: bytes) -> None:
    with pytest.raises(HubError) as refused:
        (read_xml if body.startswith(b"<") else read_json)(body)

    assert refused.value.code == "parse.forbidden-construct"
    assert refused.value.findings[0].rule == "nodes"


def test_the_command_prints_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "adapters", "--only", "brik-xml", "--times", "3", "--json"]) == 0
    [one] = json.loads(capsys.readouterr().out)
    assert one["bytes"] >= 10_000
    assert len(one["ten_megabytes"]) == 2

    assert main(["bench", "adapters", "--only", "brik-xml", "--times", "3"]) == 0
    assert "brik-xml: 10 MB, many elements: parse.forbidden-construct" in capsys.readouterr().out
