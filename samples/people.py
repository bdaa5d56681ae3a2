"""Synthetic people: the same count and seed always give the same ones; nobody real is meant."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from docgen.identifiers import UAI_LETTERS
from docgen.records import Cession, Guardian, Head, Person, School
from samples.names import BOYS, FAMILY_NAMES, GIRLS, SUBJECTS

# Ages are told from this day, not from the clock: samples must not change overnight.
SCHOOL_START_DATE = date(2026, 9, 1)
CEDED_DATE = date(2026, 9, 14)
SERIAL_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # a tablet's number has no letter O


class Division(NamedTuple):
    """A class, with the level that its pupils are in."""

    code: str
    mef: str
    level: str
    age: int


# Codes as schools type them: inner spaces, digits alone, eight characters at most (SIECLE).
FAMILIES = (
    ("2DE {}", "20010018110", "2nde générale et technologique", 15),
    ("1RE G{}", "20111019110", "1re générale", 16),
    ("T G{}", "20211019110", "Terminale générale", 17),
    ("30{}", "10310019110", "3e prépa-métiers", 14),
    ("1STMG {}", "21131018110", "1re STMG", 16),
    ("T STMG {}", "21231019110", "Terminale STMG", 17),
)


def divisions(count: int) -> list[Division]:
    """Give so many classes, of six families in turn."""
    return [
        Division(code.format(number // len(FAMILIES) + 1), mef, level, age)
        for number in range(count)
        for code, mef, level, age in [FAMILIES[number % len(FAMILIES)]]
    ]


def people(count: int, seed: int = 1, classes: int = 0) -> list[Person]:
    """Draw so many pupils, by class, with their guardians; brothers and sisters share theirs."""
    chance = random.Random(seed)  # noqa: S311 - samples, not secrets
    groups = divisions(classes or max(1, count // 25))
    births = _family(chance)
    found = []
    for number in range(count):
        group = groups[number * len(groups) // count]
        found.append(_pupil(chance, number, group, *next(births)))
    return found


def teachers(count: int, seed: int = 1) -> list[Person]:
    """Draw so many teachers."""
    chance = random.Random(f"teachers {seed}")  # noqa: S311 - samples, not secrets
    return [_teacher(chance, number) for number in range(count)]


def nasty_people() -> list[Person]:
    """Give the people that templates fail on: long, foreign, marked-up, alone, of age."""
    born, parents = date(2010, 2, 28), (Guardian("ŁUKASIEWICZ-ÖZTÜRK", "Żaneta", "Mme"),)
    plain = Person(
        "N01", "D’ESTIENNE D’ORVES", "Jean-François", "", born, "2DE 1", guardians=parents
    )
    long_name = "DE LA ROCHEFOUCAULD-MONTMORENCY-LUXEMBOURG"
    both = (
        Guardian(long_name, "Marie-Antoinette Joséphine", "Mme", "a@example.org", "+33199000001"),
        Guardian("RAKOTOMALALA ANDRIANAMPOINIMERINA", "Tsimihety", "M.", "b@example.org"),
    )
    return [
        plain,
        replace(plain, id="N02", family_name=long_name, first_name="Maximilien-Alexandre Philippe"),
        replace(plain, id="N03", family_name="ANDRIANTSIMITOVIAMINANDRIANA", guardians=both),
        replace(plain, id="N04", family_name="LOUŸS LECŒUR", first_name="Cœlia", guardians=()),
        replace(plain, id="N05", family_name="ČAPEK ĞÜNEŞ", first_name="Nguyễn Thị Mỹ"),
        replace(plain, id="N06", family_name="Dupont & Fils", first_name="<b>Léa</b>"),
        replace(plain, id="N07", family_name="O’BRIEN", usage_name="O'BRIEN & <FILS>"),
        replace(plain, id="N08", family_name="ADULTE", birth_date=date(2007, 9, 1), guardians=()),
        replace(plain, id="N09", family_name="LY", first_name="Ỹ", birth_date=None),
        replace(plain, id="N10", family_name="{{ 7 * 7 }}", first_name="{% raw %} $1 \\1 %s"),
    ]


def cession_for(person: Person, n: int) -> Cession:
    """Hand the nth tablet over to a person."""
    return Cession(serial_number(n), person.id, CEDED_DATE)


def serial_number(n: int) -> str:
    """Give the nth serial number: eight characters, no letter O, spread over the alphabet."""
    rest, base = (n * 7919 + 104_729) % len(SERIAL_LETTERS) ** 5, len(SERIAL_LETTERS)
    digits = [SERIAL_LETTERS[rest // base**power % base] for power in range(5)]
    return "HA1" + "".join(digits)


def school() -> School:
    """Give the synthetic school of all samples."""
    return School(
        uai="0130010R",
        name="Lycée Jean Perrin",
        address=("12 avenue des Exemples",),
        postal_code="13010",
        city="Marseille",
        email="lycee.jean-perrin@example.org",
        phone="01 99 00 13 10",
        head=Head("Mme", "Claire Fabre", "proviseure"),
    )


def _family(chance: random.Random) -> Iterator[tuple[str, tuple[Guardian, ...]]]:
    """Yield, child after child, the name and guardians; one child in nine has an elder here."""
    known: list[tuple[str, tuple[Guardian, ...]]] = []
    while True:
        if known and chance.random() < 0.11:
            yield chance.choice(known[-200:])
            continue
        name = _family_name(chance)
        known.append((name, _guardians(chance, name)))
        yield known[-1]


def _family_name(chance: random.Random) -> str:
    name = chance.choice(FAMILY_NAMES)
    if chance.random() < 0.12:
        name = f"{name}-{chance.choice(FAMILY_NAMES)}"
    return name


def _guardians(chance: random.Random, child: str) -> tuple[Guardian, ...]:
    """Draw two guardians, one, or none: all three are met in schools."""
    count = chance.choices((2, 1, 0), (70, 27, 3))[0]
    first = chance.choice(("Mme", "M."))
    # Two mothers or two fathers hold the same code in SIECLE: documents never say « père, mère ».
    second = first if chance.random() < 0.04 else {"Mme": "M.", "M.": "Mme"}[first]
    return tuple(_guardian(chance, civility, child) for civility in (first, second)[:count])


def _guardian(chance: random.Random, civility: str, child: str) -> Guardian:
    name = child if chance.random() < 0.6 else _family_name(chance)
    first_name = chance.choice(GIRLS if civility == "Mme" else BOYS)
    number = chance.randrange(10_000)
    email = f"parent{number:04}@example.org" if chance.random() < 0.9 else ""
    # +33 1 99 00 xx xx is kept for fiction by the regulator: it rings nowhere.
    return Guardian(name, first_name, civility, email, f"+3319900{number:04}")


def _pupil(
    chance: random.Random, number: int, group: Division, name: str, guardians: tuple[Guardian, ...]
) -> Person:
    civility = chance.choice(("Mme", "M."))
    first_name = chance.choice(GIRLS if civility == "Mme" else BOYS)
    return Person(
        id=str(1_480_000 + 3 * number),
        family_name=name,
        first_name=first_name,
        usage_name=_family_name(chance) if chance.random() < 0.05 else "",
        birth_date=_birth_date(chance, group.age),
        division=group.code,
        level=group.level,
        ine=_ine(number) if chance.random() < 0.96 else "",
        civility=civility,
        guardians=guardians,
    )


def _birth_date(chance: random.Random, age: int) -> date:
    late = chance.choices((0, 1, 2, 3), (82, 13, 4, 1))[0]
    return date(2026 - age - late, 1, 1) + timedelta(days=chance.randrange(364))


def _ine(number: int) -> str:
    """Make an INE of the shape of today, or of before 2018 for one pupil in five."""
    if number % 5:
        return f"{70_000_000 + number * 37:09}{'ABCDEFGH'[number % 8]}{UAI_LETTERS[number % 23]}"
    digits = f"{1_130_000_000 + number * 41:010}"
    return digits + UAI_LETTERS[int(digits) % 23]


def _teacher(chance: random.Random, number: int) -> Person:
    civility = chance.choice(("Mme", "M."))
    subject = chance.choice(SUBJECTS)
    title = "Professeure" if civility == "Mme" else "Professeur"
    return Person(
        id=f"P{10_000 + 7 * number}",
        family_name=_family_name(chance),
        first_name=chance.choice(GIRLS if civility == "Mme" else BOYS),
        birth_date=date(1962, 1, 1) + timedelta(days=chance.randrange(14_000)),
        civility=civility,
        function=f"{title}, {subject}",
    )
