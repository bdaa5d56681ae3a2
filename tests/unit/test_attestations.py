"""Which cessions enter which attestation: each rule alone."""

from dataclasses import replace
from datetime import date, timedelta

from docgen.attestations import (
    Attestation,
    Entry,
    Period,
    Row,
    StockLine,
    attested,
    count,
    digest,
    issue,
    natural,
    waiting,
)
from docgen.errors import InvalidInput, Problem
from tests.helpers import refusal

SCHOOL = "0130010R"
TODAY = date(2026, 10, 16)
START, END = date(2026, 9, 1), date(2026, 10, 15)
HANDED = date(2026, 9, 14)


def day(month: int, number: int) -> date:
    return date(2026, month, number)


def entry(serial: str, ceded: date | None = HANDED, **changes: object) -> Entry:
    base = Entry(serial, f"P-{serial}", "pupil", "2DE 1", ceded)
    return replace(base, **changes)  # type: ignore[arg-type]


def attest(
    entries: list[Entry],
    previous: tuple[Attestation, ...] = (),
    start: date | None = START,
    end: date | None = END,
    **options: object,
) -> Attestation:
    given = {"school": SCHOOL, "today": TODAY, **options}
    return issue(entries, start=start, end=end, previous=previous, **given)  # type: ignore[arg-type]


def refused(*given: object, **options: object) -> tuple[Problem, ...]:
    return refusal(lambda: attest(*given, **options), InvalidInput)  # type: ignore[arg-type]


def serials(rows: tuple[Row, ...]) -> list[str]:
    return [row.serial for row in rows]


# --- the period


def test_both_dates_are_required() -> None:
    (problem,) = refused([entry("A1")], start=None)
    assert problem.what == "la date de début de distribution manque."
    (problem,) = refused([entry("A1")], end=None)
    assert problem.what == "la date de fin de distribution manque."
    assert len(refused([entry("A1")], start=None, end=None)) == 2


def test_the_end_cannot_come_before_the_start() -> None:
    (problem,) = refused([entry("A1")], start=END, end=START)
    assert problem.what == "la fin précède le début."


def test_a_day_to_come_cannot_be_attested() -> None:
    (problem,) = refused([entry("A1")], end=TODAY + timedelta(1))
    assert problem.what == "la date de fin (17 octobre 2026) n’est pas encore passée."
    attest([entry("A1")], end=TODAY)


def test_an_attestation_is_not_dated_before_the_one_that_it_follows() -> None:
    first = attest([entry("A")], end=day(9, 20))
    later = [entry("A"), entry("B", day(9, 22))]
    period = {"start": day(9, 21), "end": day(9, 23), "today": day(9, 24)}
    (problem,) = refused(later, (first,), **period)
    assert problem.where == "date d’édition"


def test_two_periods_share_no_day() -> None:
    first = attest([entry("A1")])
    both = [entry("A1"), entry("A2", day(10, 16))]
    (problem,) = refused(both, (first,), start=END, end=TODAY)
    assert problem.what == (
        "elle recouvre celle de l’attestation n°\u00a01 de 2026-2027, "
        "du 1er septembre 2026 au 15 octobre 2026."
    )
    attest(both, (first,), start=TODAY, end=TODAY)


def test_a_period_without_a_cession_is_refused() -> None:
    (problem,) = refused([entry("A1", day(8, 20))])
    assert problem.what.startswith("aucune cession à attester du 1er septembre 2026")
    (problem,) = refused([entry("A1", None)])
    assert problem.remedy == "1 cession n’a pas de date : complétez le registre."


def test_all_the_problems_are_told_at_once() -> None:
    first = replace(attest([entry("A1")]), issued_date=START)
    twice = [entry("A1"), entry("A1", person_id="other")]
    problems = refused(twice, (first,), start=None, end=TODAY + timedelta(9))
    assert [problem.where for problem in problems] == [
        *("attestation n°\u00a01 de 2026-2027", "période", "période", "registre")
    ]


def test_august_belongs_to_the_school_year_that_opens() -> None:
    assert Period(day(7, 1), day(7, 31)).school_year == "2025-2026"
    assert Period(day(7, 1), day(8, 1)).school_year == "2026-2027"


# --- what enters


def test_only_cessions_are_attested_never_loans() -> None:
    made = attest([entry("A1"), entry("A2", is_loan=True)])
    assert serials(made.rows) == ["A1"]
    refused([entry("A2", is_loan=True)])


def test_both_ends_of_the_period_count() -> None:
    days = [day(8, 31), START, END, day(10, 16)]
    made = attest([entry(f"A{n}", each) for n, each in enumerate(days)])
    assert serials(made.rows) == ["A1", "A2"]


def test_a_later_distribution_gives_a_complementary_one() -> None:
    first = attest([entry("A1")])
    second = attest([entry("A1"), entry("A2", TODAY)], (first,), TODAY, TODAY)
    assert (first.number, first.is_complementary) == (1, False)
    assert (second.number, second.is_complementary) == (2, True)
    assert serials(second.rows) == ["A2"]
    assert second.before == (1, 0)
    assert second.previous == first.sha256


def test_another_school_year_starts_again_at_one() -> None:
    first = attest([entry("A1", day(6, 3))], start=day(6, 1), end=day(6, 30))
    second = attest([entry("A1", day(6, 3)), entry("A2")], (first,))
    assert (first.school_year, second.school_year) == ("2025-2026", "2026-2027")
    assert (second.number, second.rank, second.before) == (1, 2, (0, 0))
    assert serials(second.rows) == ["A2"]


def test_a_cession_typed_after_its_day_was_attested_enters_the_next_one_as_late() -> None:
    first = attest([entry("A1")])
    second = attest([entry("A1"), entry("A2"), entry("A3", TODAY)], (first,), TODAY, TODAY)
    assert {row.serial: row.origin for row in second.rows} == {"A2": first.label, "A3": ""}
    assert serials(second.late) == ["A2"]
    third = attest(
        [entry("A1"), entry("A2"), entry("A3", TODAY), entry("A4")],
        (first, second),
        day(8, 1),
        day(8, 2),
    )
    assert serials(third.rows) == ["A4"]


def test_a_cession_cancelled_or_corrected_since_is_withdrawn_when_that_is_confirmed() -> None:
    first = attest([entry("A1"), entry("A2"), entry("A3")])
    corrected = [entry("A1"), entry("B2", person_id="P-A2")]
    (problem,) = refused(corrected, (first,), TODAY, TODAY)
    assert problem.what == "2 cessions déjà attestées ne sont plus au registre (A2, A3)."
    second = attest(corrected, (first,), TODAY, TODAY, withdraw=True)
    assert [(row.serial, row.origin) for row in second.withdrawn] == [
        *(("A2", first.label), ("A3", first.label))
    ]
    assert serials(second.rows) == ["B2"]
    assert attested([second, first]).keys() == {each.key for each in corrected}


def test_correcting_the_day_or_the_class_changes_nothing_that_was_attested() -> None:
    first = attest([entry("A1")])
    moved = entry("A1", TODAY, division="2DE 9")
    refused([moved], (first,), TODAY, TODAY)
    assert waiting([moved], [first]) == []


def test_the_list_is_sorted_by_class_then_serial_teachers_last() -> None:
    entries = [
        entry("A5", audience="teacher", division=""),
        entry("A4", division="2DE 10"),
        entry("A3", division="2DE 2"),
        entry("A2", division="2DE 2"),
        entry("A1", division=""),
    ]
    made = attest(entries)
    assert serials(made.rows) == ["A1", "A2", "A3", "A4", "A5"]
    assert count(made.rows) == (4, 1)
    assert attest(entries[::-1]) == made


def test_classes_sort_as_people_count() -> None:
    names = ["10", "2DE 10", "1RE", "2DE 2", "T", "2", ""]
    assert sorted(names, key=natural) == ["", "1RE", "2", "2DE 2", "2DE 10", "10", "T"]


# --- what is frozen


def test_the_seal_covers_everything() -> None:
    made = attest([entry("A1")], stock=(StockLine("T", "En stock", 3),))
    changes = [
        {"school": "0750001U"},
        {"number": 2},
        {"rank": 2},
        {"period": Period(START, TODAY)},
        {"issued_date": START},
        {"rows": (replace(made.rows[0], person_id="other"),)},
        {"rows": (replace(made.rows[0], division="2DE\t1"),)},
        {"withdrawn": made.rows, "rows": ()},
        {"before": (1, 0)},
        {"stock": ()},
        {"stock": None},
        {"previous": "0"},
    ]
    seals = {digest(replace(made, **change)) for change in changes}  # type: ignore[arg-type]
    assert len(seals | {made.sha256}) == len(changes) + 1
    assert digest(made) == made.sha256


def test_former_attestations_must_be_whole_in_order_and_of_the_school() -> None:
    first = attest([entry("A1")])
    second = attest([entry("A1"), entry("A2", TODAY)], (first,), TODAY, TODAY)
    more = [entry("A1"), entry("A2", TODAY), entry("A3", day(8, 20))]
    august = (day(8, 15), day(8, 31))
    assert attest(more, (second, first, first), *august).rank == 3
    other = attest([entry("A9")])
    cases = {
        "son contenu a été modifié après coup.": (replace(first, rows=()),),
        "elle ne suit pas celles qui sont données.": (second,),
        "elle est de l’établissement 0750001U.": (replace(first, school="0750001U"),),
    }
    for what, previous in cases.items():
        assert refused(more, previous, *august)[0].what == what
    (problem,) = refused(more, (first, other), *august)
    assert problem.what == "elle ne suit pas celles qui sont données."
    forged = replace(first, withdrawn=(replace(first.rows[0], serial="A8"),))
    (problem,) = refused(more, (replace(forged, sha256=digest(forged)),), *august)
    assert problem.what == "elle ne suit pas celles qui sont données."
