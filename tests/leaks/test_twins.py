"""Non-interference: what somebody may not know changes nothing that this somebody, or any onlooker, sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.parts import Parts
from tests.leaks.conftest import Fresh
from tests.leaks.lab import Lab
from tests.leaks.twins import (
    OUTSIDERS,
    PERMITS,
    REFUSES,
    Said,
    Scene,
    Story,
    View,
    differences,
    may_know,
    play,
)

Play = Callable[[Story, Scene], View]
bounded = settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

STORIES = st.builds(
    Story,
    rus=st.sampled_from(("none", "need", "low", "high")),
    remark=st.sampled_from(("none", "plain", "tells")),
    other_remark=st.sampled_from(("none", "plain", "tells")),
    unit=st.sampled_from(("plain", "tells")),
    summary=st.sampled_from(("plain", "code", "medicine", "section", "words", "all")),
)
WHO = ("nav", "housing", "school", "tsb", "gp")
SAID = st.lists(
    st.tuples(st.sampled_from(WHO), st.sampled_from((PERMITS, REFUSES))),
    unique_by=lambda said: said[0],
    max_size=4,
).map(tuple)
SCENES = st.builds(Scene, before=SAID, health=st.booleans(), dates=st.integers(0, 2), answers=st.booleans())
LATER = st.builds(replace, SCENES, after=SAID, withdrawal=st.booleans())

PLAIN, ALL = Story(), Story("high", "tells", "tells", "tells", "all")
SIGNED: Said = (("nav", PERMITS), ("housing", PERMITS))
TSB: Said = (("tsb", PERMITS),)


@pytest.fixture(scope="module")
def views() -> dict[tuple[Story, Scene], View]:
    return {}


@pytest.fixture
def played(first: Parts, fresh: Fresh, views: dict[tuple[Story, Scene], View]) -> Play:
    """Plays a story in a scene in a lab of its own. The same again is the same, so it is played once."""

    def one(story: Story, scene: Scene) -> View:
        if (story, scene) not in views:
            with Lab(first, *fresh()) as lab:
                views[story, scene] = play(lab, story, scene)
        return views[story, scene]

    return one


@bounded
@given(STORIES, STORIES, SCENES)
@example(PLAIN, ALL, Scene())
@example(PLAIN, ALL, Scene(SIGNED, health=False, dates=2, answers=True))
@example(PLAIN, Story(rus="high"), Scene(SIGNED + TSB, health=False, dates=1))
@example(Story(rus="low"), Story(rus="high"), Scene(SIGNED + TSB))
@example(PLAIN, Story(summary="all"), Scene((("gp", REFUSES),), dates=1))
def test_nobody_sees_a_difference_in_what_they_may_not_know(
    played: Play, one: Story, other: Story, scene: Scene
) -> None:
    assert differences(played(one, scene), played(other, scene), may_know(one, other, scene)) == []


@bounded
@given(STORIES, STORIES, LATER)
@example(PLAIN, ALL, Scene(SIGNED, TSB, health=False, dates=2, answers=True, withdrawal=True))
@example(PLAIN, ALL, Scene((), (*SIGNED, ("tsb", REFUSES), ("gp", REFUSES)), health=False, dates=1))
def test_no_agency_sees_a_difference_when_the_person_decides_later(
    played: Play, one: Story, other: Story, scene: Scene
) -> None:
    knowing = may_know(one, other, scene) | set(OUTSIDERS)
    assert differences(played(one, scene), played(other, scene), knowing) == []


@pytest.mark.parametrize("other", [Story(rus="high"), Story(remark="tells"), Story(summary="all")])
def test_no_onlooker_sees_a_difference_when_the_person_decides_later(played: Play, other: Story) -> None:
    scene = Scene(SIGNED, TSB, health=False, dates=1, withdrawal=True)
    assert differences(played(PLAIN, scene), played(other, scene), may_know(PLAIN, other, scene)) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("who", ["nav", "housing", "school", "health", "tsb", "gp"])
def test_a_control_role_cannot_tell_a_refusal_from_silence(played: Play, who: str, when: str) -> None:
    """Nothing else being said: so nobody gets anything that the refusal would stop, but the prison's own
    health service, of which the prison sees nothing."""
    silent = Scene(dates=1)
    refusing = _also(silent, when, (who, REFUSES))
    assert _by_the_prison(differences(played(ALL, silent), played(ALL, refusing))) == []


@pytest.mark.parametrize("what", [PERMITS, REFUSES])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("who", ["health", "tsb", "gp"])
def test_a_control_role_sees_nothing_of_what_is_said_about_health(
    played: Play, who: str, when: str, what: str
) -> None:
    silent = Scene(SIGNED, dates=2, answers=True)
    spoken = _also(silent, when, (who, what))
    assert _by_the_prison(differences(played(ALL, silent), played(ALL, spoken))) == []


def test_nav_and_housing_see_nothing_of_a_consent_for_tsb(played: Play) -> None:
    without = Scene(SIGNED, dates=2, answers=True)
    seen = differences(played(ALL, without), played(ALL, replace(without, before=SIGNED + TSB)))
    assert [name for name in seen if name.startswith(("nav", "housing", "school", "prison:"))] == []


def test_the_same_story_played_twice_looks_the_same(first: Parts, fresh: Fresh) -> None:
    """Else a difference would prove nothing."""
    scene = Scene(SIGNED, TSB, dates=1, answers=True)
    seen = []
    for _ in range(2):
        with Lab(first, *fresh()) as lab:
            seen.append(play(lab, ALL, scene))
    assert differences(seen[0], seen[1]) == []


def test_who_may_know_does_see_the_difference(played: Play) -> None:
    """The twins are not compared by an eye that sees nothing."""
    scene = Scene(SIGNED + TSB)
    seen = differences(played(Story(rus="low"), scene), played(Story(rus="high"), scene))
    assert [name.partition(":")[0] for name in seen] == ["tsb"]


def _also(scene: Scene, when: str, said: tuple[str, str]) -> Scene:
    if when == "before":
        return replace(scene, before=(*scene.before, said))
    return replace(scene, after=(*scene.after, said))


def _by_the_prison(seen: list[str]) -> list[str]:
    return [name for name in seen if name.startswith("prison:")]
