"""Which cessions enter which attestation: each rule, and any history of a register."""

from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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
from docgen.records import Audience
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


# --- any history of a register

DAYS = st.integers(0, 60)
SHORT = st.integers(-70, 3)


class RegisterMachine(RuleBasedStateMachine):
    """A register that people type late, correct and cancel, attested now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.today = date(2026, 9, 1)
        self.register: dict[str, Entry] = {}
        self.history: list[Attestation] = []
        self.kept: list[bytes] = []
        self.made = 0

    def chosen(self, number: int) -> str:
        return sorted(self.register)[number % len(self.register)]

    @rule(ago=DAYS, teacher=st.booleans(), is_loan=st.booleans(), dated=st.booleans())
    def hand_over(self, ago: int, teacher: bool, is_loan: bool, dated: bool) -> None:
        self.made += 1
        serial = f"S{self.made:04}"
        audience: Audience = "teacher" if teacher else "pupil"
        ceded = self.today - timedelta(ago) if dated else None
        self.register[serial] = Entry(
            serial, f"P{self.made}", audience, f"2DE {self.made % 12}", ceded, is_loan
        )

    @precondition(lambda self: self.register)
    @rule(number=st.integers(0, 99), ago=DAYS)
    def correct_the_day(self, number: int, ago: int) -> None:
        serial = self.chosen(number)
        ceded = self.today - timedelta(ago)
        self.register[serial] = replace(self.register[serial], ceded_date=ceded)

    @precondition(lambda self: self.register)
    @rule(number=st.integers(0, 99), what=st.sampled_from(["serial", "person", "class", "loan"]))
    def correct(self, number: int, what: str) -> None:
        former = self.register.pop(self.chosen(number))
        self.made += 1
        change: dict[str, object] = {
            "serial": {"serial": f"S{self.made:04}"},
            "person": {"person_id": f"P{self.made}"},
            "class": {"division": f"1RE {self.made}"},
            "loan": {"is_loan": not former.is_loan},
        }[what]
        corrected = replace(former, **change)  # type: ignore[arg-type]
        self.register[corrected.serial] = corrected

    @precondition(lambda self: self.register)
    @rule(number=st.integers(0, 99))
    def cancel(self, number: int) -> None:
        del self.register[self.chosen(number)]

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.today += timedelta(days)

    @rule(start=SHORT, length=st.integers(-2, 40), withdraw=st.booleans())
    def ask(self, start: int, length: int, withdraw: bool) -> None:
        first = self.today + timedelta(start)
        self.answer(first, first + timedelta(length), withdraw)

    @precondition(lambda self: self.register)
    @rule(gap=st.integers(0, 3), ago=st.integers(0, 2), withdraw=st.sampled_from([True, False]))
    def ask_for_what_followed(self, gap: int, ago: int, withdraw: bool) -> None:
        since = max((each.period.end for each in self.history), default=self.today - timedelta(60))
        self.answer(since + timedelta(gap), self.today - timedelta(ago), withdraw)

    def answer(self, first: date, last: date, withdraw: bool) -> None:
        if self.is_refused(first, last, withdraw):
            with pytest.raises(InvalidInput):
                self.issue(first, last, withdraw)
        else:
            self.keep(self.issue(first, last, withdraw))

    def is_refused(self, first: date, last: date, withdraw: bool) -> bool:
        """Say it again in other words than the code's."""
        span = {first + timedelta(n) for n in range((last - first).days + 1)}
        taken = {day for each in self.history for day in self.days(each)}
        ceded = {e.key: e for e in self.register.values() if not e.is_loan}
        held = self.held()
        fresh = [e.ceded_date for key, e in ceded.items() if key not in held]
        enters = any(each in span | taken for each in fresh if each)
        gone = held - ceded.keys()
        return (
            not span
            or max(span) > self.today
            or bool(span & taken)
            or (bool(gone) and not withdraw)
            or not (enters or gone)
        )

    @staticmethod
    def days(attestation: Attestation) -> set[date]:
        period = attestation.period
        return {period.start + timedelta(n) for n in range((period.end - period.start).days + 1)}

    def held(self) -> set[tuple[str, str]]:
        keys: set[tuple[str, str]] = set()
        for each in self.history:
            gone = {row.key for row in each.withdrawn}
            new = {row.key for row in each.rows}
            assert gone <= keys
            keys -= gone
            assert not keys & new, "a cession is on two attestations"
            assert len(new) == len(each.rows)
            keys |= new
        return keys

    def issue(self, first: date, last: date, withdraw: bool) -> Attestation:
        entries = list(self.register.values())
        given = {"school": SCHOOL, "start": first, "end": last, "today": self.today}
        before = self.history
        made = issue(entries, previous=before, withdraw=withdraw, **given)  # type: ignore[arg-type]
        again = issue(  # the order in which files are read decides nothing
            entries[::-1],
            previous=before[::-1],
            withdraw=withdraw,
            **given,  # type: ignore[arg-type]
        )
        assert again == made
        return made

    def keep(self, attestation: Attestation) -> None:
        self.history.append(attestation)
        self.kept.append(msgspec.json.encode(attestation))

    @invariant()
    def each_cession_is_on_one_attestation_at_most(self) -> None:
        assert attested(self.history).keys() == self.held()

    @invariant()
    def what_was_issued_reads_the_same_for_ever(self) -> None:
        for made, content in zip(self.history, self.kept, strict=True):
            read = msgspec.json.decode(content, type=Attestation)
            assert read == made
            assert digest(read) == made.sha256
            assert msgspec.json.encode(read) == content

    @invariant()
    def every_row_has_its_reason(self) -> None:
        by_label = {each.label: each for each in self.history}
        assert len(by_label) == len(self.history)
        for each in self.history:
            for row in each.rows:
                period = by_label[row.origin].period if row.origin else each.period
                assert row.ceded_date in period
            assert not any(self.days(each) & self.days(o) for o in self.history if o is not each)

    def teardown(self) -> None:
        """Once all is attested, the attestations add up to the register."""
        for serial, each in self.register.items():
            if each.ceded_date is None:
                self.register[serial] = replace(each, ceded_date=self.today)
        for _ in range(200):
            self.today += timedelta(1)
            left = waiting(self.register.values(), self.history)
            ceded = {e.key for e in self.register.values() if not e.is_loan}
            if not left and self.held() == ceded:
                break
            taken = {day for each in self.history for day in self.days(each)}
            free = sorted({e.ceded_date for e in left if e.ceded_date} - taken)
            alone = free[0] if free else self.today
            self.keep(self.issue(alone, alone, withdraw=True))
        assert self.held() == ceded
        rows = attested(self.history).values()
        kinds = [each.audience for each in self.register.values() if not each.is_loan]
        assert count(rows) == (kinds.count("pupil"), kinds.count("teacher"))
        assert sum(len(e.rows) - len(e.withdrawn) for e in self.history) == len(ceded)


TestAnyRegister = RegisterMachine.TestCase
TestAnyRegister.settings = settings(max_examples=250, stateful_step_count=50, deadline=None)
