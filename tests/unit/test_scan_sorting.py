"""Sorting: every side has one outcome, whatever comes in whatever order."""

import random
import re
from collections import Counter
from dataclasses import dataclass
from math import inf
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docgen.scanning import sorting
from docgen.scanning.findings import Reading, Seen
from docgen.scanning.sorting import REASONS, Expected, Outcome, Sorted, sort

SCHOOL, OTHER = "0370001A", "0450002B"
FOLDER = Path(sorting.__file__).parent


def document(number: str = "a1", **changes: object) -> Expected:
    facts = {"document": number, "school": SCHOOL, "reference": f"CE-{number}", "sides": 3}
    return Expected(**{**facts, **changes})  # type: ignore[arg-type]


def seen(number: str = "a1", side: int = 1, sides: int = 3, corner: int = 0) -> Seen:
    return Seen(document=number, side=side, sides=sides, corner=corner, quad=())


def read(index: int = 0, *codes: Seen, **changes: object) -> Reading:
    facts = {"index": index, "width": 1, "height": 1, "dpi": 200.0, "codes": codes}
    return Reading(**{"verdict": "coded" if codes else "bare", **facts, **changes})  # type: ignore[arg-type]


def sorted_(*readings: Reading, documents: tuple[Expected, ...] = (document(),), **options: object):  # type: ignore[no-untyped-def]  # noqa: ANN201
    expected = {each.document: each for each in documents}
    return sort(readings, expected, options.pop("held", {}), options.pop("school", SCHOOL))  # type: ignore[arg-type]


def one(reading: Reading, **options: object) -> tuple[str, str, str, int]:
    (found,) = sorted_(reading, **options)
    assert found.index == reading.index
    return (found.outcome.value, found.reason, found.document, found.side)


def test_a_side_whose_codes_agree_is_known() -> None:
    both = (seen(side=2), seen(side=2, corner=1))
    assert one(read(7, *both)) == ("known", "", "a1", 2)
    assert one(read(7, seen(), reason="one-code")) == ("known", "one-code", "a1", 1)


@pytest.mark.parametrize(
    ("reading", "outcome", "reason"),
    [
        (read(verdict="bare"), "unknown", "no-code"),
        (read(verdict="bare", strangers=1, reason="other-code"), "unknown", "other-code"),
        (read(verdict="blank"), "blank", "blank"),
        (read(verdict="foreign"), "foreign", "code-refused"),
        (read(verdict="foreign", reason="other-key"), "foreign", "other-key"),
        (read(verdict="inconsistent"), "inconsistent", "codes-disagree"),
        (read(0, seen(), verdict="inconsistent", reason="code-misplaced"), "inconsistent",
         "code-misplaced"),
        (read(verdict="unreadable"), "unreadable", "unreadable"),
        (read(verdict="unreadable", reason="too-heavy"), "unreadable", "too-heavy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_tells_no_document_keeps_its_verdict(
    reading: Reading, outcome: str, reason: str
) -> None:
    assert one(reading) == (outcome, reason, "", 0)


@pytest.mark.parametrize(
    "codes",
    [
        (seen("a1"), seen("b2")),
        (seen(side=1), seen(side=2, corner=1)),
        (seen(sides=3), seen(sides=4, corner=1)),
        (seen(), seen(), seen("b2")),
    ],
)
def test_codes_that_disagree_are_never_believed(codes: tuple[Seen, ...]) -> None:
    both = (document("a1"), document("b2"))
    found = one(read(0, *codes), documents=both)
    assert found == ("inconsistent", "codes-disagree", "", 0)


def test_a_side_of_another_school_or_of_no_document_is_foreign() -> None:
    away = document(school=OTHER)
    assert one(read(0, seen()), documents=(away,)) == ("foreign", "other-school", "", 0)
    assert one(read(0, seen("zz"))) == ("foreign", "document-unknown", "", 0)
    # What another school printed again is told no more of.
    older = document(school=OTHER, state="superseded")
    assert one(read(0, seen()), documents=(older,)) == ("foreign", "other-school", "", 0)


def test_a_pile_of_several_schools_takes_the_documents_of_each() -> None:
    pile = (read(0, seen("a1")), read(1, seen("b2")))
    found = sorted_(*pile, documents=(document("a1"), document("b2", school=OTHER)), school="")
    assert [each.outcome for each in found] == [Outcome.KNOWN, Outcome.KNOWN]


@pytest.mark.parametrize("state", ["superseded", "cancelled"])
def test_an_older_print_is_superseded(state: str) -> None:
    older = document(state=state)
    assert one(read(0, seen(side=3)), documents=(older,)) == ("superseded", state, "a1", 3)


@pytest.mark.parametrize(
    "code", [seen(side=1, sides=2), seen(side=4, sides=4), seen(side=4), seen(side=0)]
)
def test_a_side_that_its_document_cannot_have_is_inconsistent(code: Seen) -> None:
    assert one(read(0, code)) == ("inconsistent", "sides-differ", "a1", code.side)


def test_of_two_scans_the_better_is_known_and_the_first_when_they_are_as_good() -> None:
    scans = [read(n, seen(), quality=quality) for n, quality in enumerate((1.0, 3.0, 3.0, 2.0))]
    found = sorted_(*scans)
    assert [(each.outcome, each.reason) for each in found] == [
        (Outcome.DUPLICATE, "twice"),
        (Outcome.KNOWN, ""),
        (Outcome.DUPLICATE, "twice"),
        (Outcome.DUPLICATE, "twice"),
    ]
    assert {(each.document, each.side) for each in found} == {("a1", 1)}


@pytest.mark.parametrize(
    ("home", "outcome"),
    [(1.0, Outcome.KNOWN), (1.7, Outcome.DUPLICATE), (2.0, Outcome.DUPLICATE),
     (inf, Outcome.DUPLICATE)],
)  # fmt: skip
def test_what_is_home_gives_its_place_up_to_a_clearly_better_scan_only(
    home: float, outcome: Outcome
) -> None:
    scans = (read(0, seen(), quality=2.0), read(1, seen(), quality=1.9), read(2, seen(side=2)))
    found = sorted_(*scans, held={("a1", 1): home})
    reason = "twice" if outcome is Outcome.KNOWN else "already-home"
    assert found[0].outcome is outcome
    assert (found[1].outcome, found[1].reason) == (Outcome.DUPLICATE, reason)
    assert found[2].outcome is Outcome.KNOWN


STATES = st.sampled_from(["current", "current", "superseded", "cancelled"])
DOCUMENTS = st.dictionaries(
    st.sampled_from("abcd"),
    st.tuples(st.sampled_from([SCHOOL, OTHER]), st.integers(1, 4), STATES),
)
CODES = st.lists(
    st.builds(seen, st.sampled_from("abcde"), st.integers(0, 5), st.integers(1, 4)),
    max_size=2,
)
VERDICTS = st.sampled_from(["coded", "coded", "bare", "blank", "foreign", "unreadable"])
SIDES = st.lists(st.tuples(VERDICTS, CODES, st.sampled_from([0.5, 1.0, 2.0])), max_size=25)
HELD = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 4)), st.sampled_from([0.4, 1.0, inf])
)


@dataclass
class Town:
    """What a batch is sorted against."""

    expected: dict[str, Expected]
    held: dict[tuple[str, int], float]
    school: str

    def sort(self, readings: list[Reading]) -> list[Sorted]:
        return sort(readings, self.expected, self.held, self.school)


@st.composite
def towns(draw: st.DrawFn) -> Town:
    documents = {
        number: document(number, school=school, sides=sides, state=state)
        for number, (school, sides, state) in draw(DOCUMENTS).items()
    }
    return Town(documents, draw(HELD), draw(st.sampled_from(["", SCHOOL])))


def piles() -> st.SearchStrategy[list[Reading]]:
    return SIDES.map(
        lambda sides: [
            read(n, *codes, verdict=verdict if codes or verdict != "coded" else "bare", quality=q)
            for n, (verdict, codes, q) in enumerate(sides)
        ]
    )


@settings(deadline=None)
@given(towns(), piles())
def test_every_side_has_one_outcome_and_a_sentence(town: Town, pile: list[Reading]) -> None:
    found = town.sort(pile)
    assert [each.index for each in found] == list(range(len(pile)))
    for each in found:
        assert each.reason in REASONS or (not each.reason and each.outcome is Outcome.KNOWN)


@settings(deadline=None)
@given(towns(), piles())
def test_what_is_known_is_expected_here_and_once(town: Town, pile: list[Reading]) -> None:
    found = town.sort(pile)
    known = [each for each in found if each.outcome is Outcome.KNOWN]
    assert len({(each.document, each.side) for each in known}) == len(known)
    for each in known:
        reading, wanted = pile[each.index], town.expected[each.document]
        assert reading.verdict == "coded"
        said = {(code.document, code.side, code.sides) for code in reading.codes}
        assert said == {(each.document, each.side, wanted.sides)}
        assert wanted.state == "current"
        assert town.school in ("", wanted.school)
        assert 1 <= each.side <= wanted.sides
        assert reading.quality > town.held.get((each.document, each.side), 0)


@settings(deadline=None)
@given(towns(), piles())
def test_no_place_is_left_empty_when_a_scan_could_take_it(town: Town, pile: list[Reading]) -> None:
    found = town.sort(pile)
    taken = {(each.document, each.side) for each in found if each.outcome is Outcome.KNOWN}
    for each in found:
        if each.outcome is Outcome.DUPLICATE:
            place = (each.document, each.side)
            assert place in taken or place in town.held


@settings(deadline=None)
@given(towns(), piles(), st.randoms(use_true_random=False))
def test_the_order_of_sides_changes_nothing(
    town: Town, pile: list[Reading], chance: random.Random
) -> None:
    given_mixed = list(pile)
    chance.shuffle(given_mixed)
    assert town.sort(given_mixed) == town.sort(pile)
    # Scanned in another order: the same outcomes, up to which of two equals comes first.
    renumbered = [msgspec.structs.replace(each, index=n) for n, each in enumerate(given_mixed)]

    def told(found: list[Sorted], sides: list[Reading]) -> Counter[tuple[object, ...]]:
        return Counter(
            (each.outcome, each.reason, each.document, each.side, sides[each.index].quality)
            for each in found
        )

    assert told(town.sort(renumbered), renumbered) == told(town.sort(pile), pile)


def test_every_reason_says_what_it_is_and_what_to_do() -> None:
    for key, text in REASONS.items():
        assert re.fullmatch("[a-z-]{3,40}", key)
        assert text.endswith(".")
        assert "'" not in text
        assert not re.search(r"[^\u202f\u00a0 ][;!?]|[^\u00a0]:|«[^\u00a0]| :", text), key


def test_every_reason_that_a_reading_gives_has_its_sentence() -> None:
    given_ = {
        reason
        for path in FOLDER.glob("*.py")
        for reason in re.findall(r"""(?:reason|fault)=["']([a-z-]+)["']""", path.read_text())
    }
    assert given_ - REASONS.keys() == set()
