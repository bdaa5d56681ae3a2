"""Any history of a register: each cession on one attestation, attestations that add up to it."""

from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from docgen.attestations import Attestation, Entry, attested, count, digest, issue, waiting
from docgen.errors import InvalidInput
from docgen.records import Audience

SCHOOL = "0130010R"
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
