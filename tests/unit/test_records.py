"""People, and the facts that they offer to merge fields."""

from datetime import date

import pytest

from docgen.records import (
    PERSON_SOURCES,
    RUN_SOURCES,
    Cession,
    Device,
    Guardian,
    Person,
    joined,
    person_facts,
    school_facts,
)
from samples.people import school


@pytest.mark.parametrize(
    ("on", "adult"),
    [
        (date(2026, 2, 27), False),
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2030, 1, 1), True),
    ],
)
def test_a_person_born_on_the_29th_of_february_is_of_age_on_the_1st_of_march(
    on: date, adult: bool
) -> None:
    assert Person("1", "A", "B", birth_date=date(2008, 2, 29)).is_adult(on) is adult


def test_a_person_is_of_age_on_the_birthday() -> None:
    person = Person("1", "A", "B", birth_date=date(2008, 9, 14))
    assert person.is_adult(date(2026, 9, 13)) is False
    assert person.is_adult(date(2026, 9, 14)) is True


def test_age_is_unknown_without_a_birth_date() -> None:
    assert Person("1", "A", "B").is_adult(date(2026, 9, 1)) is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("Mme", "ROUX", "Anne"), "Mme\u00a0ROUX Anne"),
        (("M.", "", "Luc"), "M.\u00a0Luc"),
        (("", "ROUX", "Anne"), "ROUX Anne"),
        (("ROUX", ""), "ROUX"),
        ((), ""),
    ],
)
def test_words_are_joined_and_a_civility_held_to_its_name(
    words: tuple[str, ...], text: str
) -> None:
    assert joined(*words) == text


def test_a_representative_kept_whole_prints_as_typed() -> None:
    assert Guardian("Mme Le Goff Anne", "").full_name == "Mme Le Goff Anne"


def test_every_source_that_a_template_may_name_is_given() -> None:
    assert set(school_facts(school())) == RUN_SOURCES
    assert set(person_facts(Person("1", "A", "B"), None, None)) == PERSON_SOURCES


def test_the_facts_of_a_person_with_a_tablet() -> None:
    guardians = (Guardian("ROUX", "Anne", "Mme"), Guardian("B", "C"), Guardian("D", "E"))
    person = Person("1", "MARTIN", "Léa", division="2DE 1", guardians=guardians)
    cession = Cession("HA1052", "1", date(2026, 9, 14))
    facts = person_facts(person, cession, Device("HA1052", "T10"))
    assert facts["person.full_name"] == "MARTIN Léa"
    assert facts["guardian1.full_name"] == "Mme\u00a0ROUX Anne"
    assert facts["guardian2.full_name"] == "B C"
    assert (facts["device.serial"], facts["device.model"]) == ("HA1052", "T10")
    assert facts["cession.date"] == date(2026, 9, 14)


def test_what_the_records_do_not_say_is_none() -> None:
    facts = person_facts(Person("1", "MARTIN", "Léa"), None, None)
    for source in ("guardian1.full_name", "device.serial", "cession.date", "person.birth_date"):
        assert facts[source] is None
