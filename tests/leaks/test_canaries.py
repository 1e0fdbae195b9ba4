"""No marker stands where no consent and no law lets it stand: in the lab, and in the real world on SQLite
with the embedded queue and on PostgreSQL with RabbitMQ.
"""

from __future__ import annotations

from hub.parts import Parts
from tests.leaks.canaries import leaks, standing
from tests.leaks.conftest import Fresh
from tests.leaks.flow import play
from tests.leaks.lab import Lab, evidence
from tests.leaks.stages import LabStage


def test_in_the_lab_no_marker_stands_where_it_may_not(first: Parts, fresh: Fresh) -> None:
    with Lab(first, *fresh()) as lab:
        play(LabStage(lab))
        found = list(evidence(lab))
    assert leaks(found) == []
    print(sorted(standing(found)))
