"""The files of a school, brought in whole: what cannot be kept is told, what is kept stays true."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from docgen import records
from docgen.backoffice import handovers, models, registers
from docgen.errors import RosterRejected
from tests import helpers
from tests.service import town

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 9, 14)
Execute = Callable[..., Any]


def keep(
    school: models.School,
    people: list[records.Person],
    given: dict[str, str] | None = None,
    audience: records.Audience = "pupil",
    **changes: object,
) -> dict[str, int]:
    """Import people, and for some of them a tablet by its serial number."""
    cessions = {
        person: records.Cession(serial, person, DAY) for person, serial in (given or {}).items()
    }
    facts = {"school_year": "2026-2027", "cessions": cessions, **changes}
    return registers.keep_roster(school, audience, records.Roster(tuple(people), **facts), "test")  # type: ignore[arg-type]


def refused(call: Callable[[], object]) -> dict[str, str]:
    return {each.where: each.what for each in helpers.refusal(call, RosterRejected)}


def alongside(call: Callable[[], object]) -> Thread:
    """Run something in a thread with a connection of its own."""

    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def test_what_a_table_cannot_hold_is_refused_all_at_once() -> None:
    school = town.school()
    first, second, third = helpers.people(3)
    people = [
        replace(first, division="C" * 51, ine="1" * 12),
        replace(second, level="2\0DE", function="F" * 201),
        replace(third, guardians=(records.Guardian("ESSAI", "", email="e" * 255, phone="0" * 31),)),
    ]
    stock = {"T0001": records.Device("T0001", "M" * 101, "E" * 51)}
    problems = helpers.refusal(lambda: keep(school, people, devices=stock), RosterRejected)
    assert [(each.where, each.what.split("\u00a0:")[0]) for each in problems] == [
        ("personne E0000", "«\u00a0Classe\u00a0»"),
        ("personne E0000", "«\u00a0INE\u00a0»"),
        ("personne E0001", "«\u00a0Niveau\u00a0»"),
        ("personne E0001", "«\u00a0Fonction\u00a0»"),
        ("personne E0002, représentant légal 1", "«\u00a0Courriel\u00a0»"),
        ("personne E0002, représentant légal 1", "«\u00a0Téléphone\u00a0»"),
        ("tablette T0001", "«\u00a0Modèle\u00a0»"),
        ("tablette T0001", "«\u00a0État\u00a0»"),
    ]
    assert not models.Person.objects.exists()


def test_a_school_that_its_table_cannot_hold_is_refused() -> None:
    place = helpers.school()
    head = records.Head("M.", "N" * 101, "Proviseur")
    changed = replace(place, name="N" * 201, phone="0" * 31, head=head)
    problems = helpers.refusal(lambda: registers.keep_school(changed, "test"), RosterRejected)
    assert {each.where for each in problems} == {f"établissement {place.uai}"}
    assert len(problems) == 3


def test_a_tablet_that_is_lent_or_a_person_who_has_another_is_told() -> None:
    school = town.school()
    first, second, third = people = helpers.people(3)
    keep(school, people, {first.id: "T0001"})
    rows = {row.internal_id: row for row in models.Person.objects.all()}
    handovers.lend(rows[second.id], "T0002", (DAY, DAY), "", "test")
    given = {first.id: "T0009", second.id: "T0001", third.id: "T0002"}
    assert refused(lambda: keep(school, people, given)) == {
        "personne E0000": "cette personne a déjà reçu une autre tablette.",
        "tablette T0001": "cette tablette est déjà cédée à une autre personne.",
        "tablette T0002": "cette tablette est en prêt.",
    }
    (kept,) = registers.roster(school, "pupil").cessions.values()
    assert kept == records.Cession("T0001", first.id, DAY)


def test_a_cession_corrected_cancelled_or_dated_later_stays_one() -> None:
    school = town.school()
    people = helpers.people(1)
    undated = {"E0000": records.Cession("T0001", "E0000")}
    assert keep(school, people, cessions=undated)["cessions"] == 1
    assert keep(school, people, {"E0000": "T0001"})["cessions"] == 1
    assert keep(school, people, {"E0000": "T0001"})["cessions"] == 0
    assert keep(school, people, cessions=undated)["cessions"] == 0
    row = models.Cession.objects.get()
    assert row.ceded_date == DAY
    registers.cancel_cession(row, "test")
    assert keep(school, people, {"E0000": "T0002"})["cessions"] == 1
    assert registers.roster(school, "pupil").cessions["E0000"].serial == "T0002"


def test_who_is_gone_stays_with_their_tablet_and_comes_back_the_same() -> None:
    school = town.school()
    first, second = helpers.people(2)
    keep(school, [first, second], {second.id: "T0001"})
    before = models.Person.objects.get(internal_id=second.id).pk
    moved = replace(first, division="1RE 1", guardians=())
    assert keep(school, [moved], school_year="2027-2028")["people_before"] == 2
    found = registers.roster(school, "pupil")
    assert (found.people, found.school_year) == ((moved,), "2027-2028")
    assert found.cessions[second.id].serial == "T0001"
    gone = models.Person.objects.get(internal_id=second.id)
    assert (gone.is_present, gone.school_year) == (False, "2026-2027")
    keep(school, [second, moved], school_year="2027-2028")
    assert models.Person.objects.get(internal_id=second.id).pk == before
    assert registers.roster(school, "pupil").people == (second, moved)


def test_teachers_and_pupils_may_bear_the_same_identifiers() -> None:
    school = town.school()
    people = helpers.people(2)
    keep(school, people, {"E0000": "T0001"})
    keep(school, people[:1], {"E0000": "T0002"}, "teacher")
    assert len(registers.roster(school, "pupil").people) == 2
    assert registers.roster(school, "pupil").cessions["E0000"].serial == "T0001"
    assert registers.roster(school, "teacher").cessions["E0000"].serial == "T0002"


def test_a_school_of_2000_is_kept_and_read_in_a_few_queries(
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    school = town.school()
    people = helpers.people(2000)
    stock = {f"T{n:05}": records.Device(f"T{n:05}") for n in range(2500)}
    given = {each.id: f"T{n:05}" for n, each in enumerate(people)}
    keep(school, people, given, devices=stock)
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        found = registers.roster(school, "pupil")
    assert found.people == tuple(people)
    assert (len(found.cessions), len(found.devices)) == (2000, 2500)


def test_a_roster_is_read_as_one_import_left_it() -> None:
    school = town.school()
    people = helpers.people(3)
    keep(school, people)
    threads = []

    def import_meanwhile(execute: Execute, sql: str, *rest: object) -> object:
        if 'FROM "backoffice_guardian"' in sql and not threads:
            threads.append(alongside(lambda: keep(school, people[:1])))
            threads[0].join(0.3)
        return execute(sql, *rest)

    with connection.execute_wrapper(import_meanwhile):
        found = registers.roster(school, "pupil").people
    threads[0].join()
    assert found == tuple(people)
    assert len(registers.roster(school, "pupil").people) == 1


def test_two_imports_at_once_leave_one_of_them_whole() -> None:
    school = town.school()
    people = helpers.people(40)
    halves = people[:25], people[15:]
    threads = [alongside(lambda half=half: keep(school, half)) for half in halves * 2]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert list(registers.roster(school, "pupil").people) in halves
    assert models.Person.objects.count() == 40
    assert models.Guardian.objects.count() == 25
