"""A newer mapping comes in while an office says "not ours" of the older one: what happens is what would have
happened to one after the other, also when they name the person by different numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hub import referral
from hub.app import new_id
from hub.shapes import Accepted
from hub.store import disclosures, messages
from hub.store.schema import disclosure
from tests.hub.bench import XML, Bench, run_together, xml_brik
from tests.hub.test_referral import OTHER, SECOND, asked, got_there, link, other_office, said


class InTheMiddle:
    """Whoever comes there waits for the other, for as long as one waits who cannot know whether it comes."""

    def __init__(self) -> None:
        self.there, self.other_is_done = threading.Event(), threading.Event()

    def stopping(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def stops(*args: Any) -> Any:
            result = do(*args)
            self.there.set()
            self.other_is_done.wait(1.5)
            return result

        return stops

    def meanwhile(self, do: Callable[[], Any]) -> Any:
        assert self.there.wait(20)
        try:
            return do()
        finally:
            self.other_is_done.set()


@pytest.mark.parametrize(("first_one", "sent_on"), [("the answer", 1), ("the newer mapping", 0)])
def test_a_request_goes_on_only_if_it_was_answered_before_it_was_overtaken(
    either: Bench, monkeypatch: pytest.MonkeyPatch, first_one: str, sent_on: int
) -> None:
    other_office(either)
    either.parts = replace(either.parts, new_id=new_id)
    link(either)
    request = asked(either)
    body = said(request, "ansvar_bestridt", person=SECOND, foreslatt_kommune="9902")
    answers = partial(either.post, "housing", body)
    maps = partial(either.post, "prison", xml_brik(message_id="BRIK-2"), XML)
    middle = InTheMiddle()
    if first_one == "the answer":
        monkeypatch.setattr(referral, "onward", middle.stopping(referral.onward))
        results = run_together(answers, partial(middle.meanwhile, maps))
    else:
        monkeypatch.setattr(messages, "supersede", middle.stopping(messages.supersede))
        results = run_together(maps, partial(middle.meanwhile, answers))
    either.drain()

    assert [type(result) for result in results] == [Accepted, Accepted]
    assert len(got_there(either)) == sent_on
    with either.parts.store.reading() as view:
        there = disclosures.where(view, disclosure.c.recipient == OTHER, disclosure.c.revision == 1)
    assert len(there) == sent_on
