"""A request that should go on when whoever asked has left the directory: it does not vanish in silence."""

from __future__ import annotations

from dataclasses import replace

from hub.message import Sector
from hub.store import disclosures
from mappings.agreements import Target
from tests.hub.bench import Bench, org
from tests.hub.test_referral import answer, asked, brik_of, got_there, other_office


def test_what_cannot_go_on_because_its_asker_is_gone_is_seen(bench: Bench) -> None:
    """Of an installation where an answer goes to others too: with nobody to get it, it would be refused."""
    other_office(bench)
    request = asked(bench)
    back = bench.parts.agreement("bolig-svar-fengsel")
    there = Target(Sector.MUNICIPALITY_HOUSING, back.target.type)
    too = replace(back, id="bolig-svar-bolig", target=there, route="kommune:foreslatt_kommune")
    gone = {name: party for name, party in bench.parts.directory.items() if name != org("prison")}
    bench.parts = replace(bench.parts, agreements=(*bench.parts.agreements, too), directory=gone)

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert [sent for sent in got_there(bench) if sent["type"] == "bolig.foresporsel"] == []
    with bench.parts.store.reading() as view:
        sent = disclosures.of_message(view, brik_of(bench, request))
    lost = [(row.agreement, row.code) for row in sent if row.recipient == "" and row.because_of]
    assert lost == [("brik-bolig-foresporsel", "route.asker-unknown")]
