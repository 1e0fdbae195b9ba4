"""Understands that plain JSON is the record and nothing else."""

from __future__ import annotations

import pytest

from adapters.plain_json.adapter import adapter_for
from hub.errors import HubError
from hub.message import Record

ADAPTER = adapter_for("nav.sak")


def test_a_number_with_a_fraction_becomes_its_decimal_text() -> None:
    record = ADAPTER.parse(b'{"type":"nav.sak","a":{"b":[1.50,2,true,null,"1.5"]}}')

    assert record == Record("nav.sak", {"a": {"b": ["1.50", 2, True, None, "1.5"]}})


def test_another_type_is_refused() -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.parse(b'{"type":"epikrise"}')

    assert refused.value.code == "parse.invalid"


@pytest.mark.parametrize("value", ["\ud800", "a\x00", float("nan"), {1, 2}, b"x"])
def test_what_json_cannot_carry_is_not_rendered(value: object) -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.render(Record("nav.sak", {"a": value}))

    assert refused.value.code == "render.incomplete"


def test_a_record_of_another_type_is_not_rendered() -> None:
    with pytest.raises(HubError) as refused:
        ADAPTER.render(Record("epikrise", {}))

    assert refused.value.code == "render.incomplete"
