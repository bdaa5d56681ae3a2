"""The ledger: one query that agrees with a recount, whatever a school lived through."""

import csv
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from docgen.backoffice import gate, ledger, models, registers
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import Role
from docgen.errors import InvalidInput
from tests.helpers import refusal
from tests.service import ledger_town, town
from tests.service.ledger_recount import recount
from tests.service.test_attestations import handed, issue

pytestmark = pytest.mark.django_db(transaction=True)
REGION = Actor("user:1", Role.REGION)
YEARS = ("", *ledger_town.YEARS, "2001-2002")


def only(uai: str = "", year: str = "") -> ledger.Line:
    (line,) = ledger.lines(gate.SYSTEM, school=uai, year=year)
    return line


def test_the_ledger_agrees_with_a_recount_of_every_history() -> None:
    seen = ledger.Tablets()
    sheets = ledger.Sheets()
    for seed in range(4):
        ledger_town.fill(schools=8, cessions=40, seed=seed)
        for year in YEARS:
            expected = recount(year)
            found = ledger.lines(REGION, year=year)
            assert {line.school: line for line in found} == expected
            assert [line.school for line in found] == sorted(expected)
            whole = ledger.total(found)
            for name in ledger.Tablets.__slots__:
                told = sum(getattr(line.tablets, name) for line in expected.values())
                assert getattr(whole.tablets, name) == told
            for uai, line in list(expected.items())[:2]:
                assert ledger.lines(Actor("user:2", Role.SCHOOL, uai), year=year) == [line]
                assert ledger.lines(REGION, school=uai, year=year) == [line]
        whole = ledger.total(ledger.lines(REGION))
        seen, sheets = ledger._sum(seen, whole.tablets), ledger._sum(sheets, whole.sheets)
        for model in (models.Original, models.Delivery, models.Return, models.Paper):
            model.objects.all().delete()
        for model in (models.AttestedCession, models.Attestation, models.Cession, models.Person):
            model.objects.all().delete()
        models.School.objects.all().delete()
    # The histories hold every case: a comparison of nothing with nothing would hold too.
    assert all(getattr(seen, name) for name in ledger.Tablets.__slots__)
    assert all(getattr(sheets, name) for name in ledger.Sheets.__slots__)


def test_years_add_up_to_the_whole_but_for_cessions_of_no_year() -> None:
    ledger_town.fill(schools=5, cessions=60, seed=11)
    whole = ledger.total(ledger.lines(REGION)).tablets
    of_years = [ledger.total(ledger.lines(REGION, year=year)).tablets for year in YEARS[1:]]
    nowhere = models.Cession.objects.filter(ceded_date=None, person__school_year="")
    lost = nowhere.filter(cancelled_at=None).count()
    assert lost > 0
    assert whole.ceded == sum(each.ceded for each in of_years) + lost


def test_the_ledger_is_one_query() -> None:
    ledger_town.fill(schools=3, cessions=10, seed=3)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(ledger.lines(REGION, year="2026-2027")) == 4
    assert len(queries) == 1


def test_who_sees_no_school_has_an_empty_ledger() -> None:
    ledger_town.fill(schools=2, cessions=10, seed=3)
    assert ledger.lines(Actor("user:1", Role.PRINT_SHOP, shop=1)) == []
    assert ledger.lines(Actor("user:1", Role.SCHOOL)) == []
    own = Actor("user:1", Role.SCHOOL, "0000000X")
    assert [line.school for line in ledger.lines(own)] == ["0000000X"]
    assert ledger.lines(own, school="0000001X") == []


@pytest.mark.parametrize(
    "year", ["2026", "2026-2028", "2026-27", "1999-2000", "²026-2027", "abcd-"]
)
def test_what_is_no_school_year_is_refused(year: str) -> None:
    assert refusal(lambda: ledger.lines(REGION, year=year), InvalidInput)


def test_a_cession_goes_from_the_register_to_the_attestation_and_out_again() -> None:
    """Through the service itself: late, corrected, withdrawn, and ceded again to the same."""
    school = town.school()
    assert only().tablets == ledger.Tablets()
    cessions = handed(school, 3)
    line = only(school.pk).tablets
    assert (line.ceded, line.pupils, line.to_attest, line.gap, line.attested) == (3, 3, 3, 3, 0)
    issue(school)
    handed(school, 1, first=3)  # its day is attested already
    handed(school, 1, first=4, day=None)
    registers.cancel_cession(cessions[0], "test")
    line = only(year="2026-2027").tablets
    assert (line.ceded, line.undated, line.attested) == (4, 1, 3)
    assert (line.to_attest, line.to_withdraw, line.to_return) == (2, 1, 3)
    issue(school, start=date(2026, 10, 1), end=date(2026, 10, 2), withdraw=True)
    line = only(year="2026-2027").tablets
    assert (line.ceded, line.attested, line.to_attest, line.to_withdraw) == (4, 3, 1, 0)
    again = models.Cession.objects.get(pk=cessions[0].pk)
    again.pk, again.cancelled_at = None, None
    again.save()
    line = only(year="2026-2027").tablets
    assert (line.ceded, line.attested, line.to_attest, line.gap) == (5, 3, 2, 5)
    assert only().sheets.issued == 2
    assert {school.pk: only()} == recount()


def test_a_ledger_opens_in_a_spreadsheet_without_a_formula(tmp_path: Path) -> None:
    ledger_town.fill(schools=2, cessions=10, seed=5)
    found = ledger.lines(REGION)
    rows = list(csv.DictReader(StringIO(ledger.as_csv([*found, ledger.total(found)]))))
    assert [row["uai"] for row in rows] == [*(line.school for line in found), ""]
    assert {row["name"] for row in rows} == {"'=Lycée", "Total"}
    assert [int(row["ceded"]) for row in rows[:-1]] == [line.tablets.ceded for line in found]
    assert int(rows[-1]["gap"]) == sum(line.tablets.gap for line in found)
