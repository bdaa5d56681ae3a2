"""The people of the measures: a school's order, and a town's pupils drawn as they are pressed."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

from bench import shared
from docgen.identifiers import uai_letter
from docgen.pagecode import Key
from docgen.press import Order
from docgen.records import Cession, Device, Person, Roster
from samples.people import CEDED_DATE, cession_for, people, school, serial_number

KEY = Key(1, b"a key of the bench, which opens nothing")
MODEL = "Tablette 10,3 pouces, 64 Go"
YEAR = "2026-2027"
SLICE = 500  # people held at once when a town is drawn
FIRST_ID, ID_STEP = 1_480_000, 3  # as samples.people numbers pupils
V = TypeVar("V")


class Computed(Mapping[str, V], Generic[V]):
    """Makes what is asked for and holds nothing: 60,000 tablets take no memory."""

    def __init__(self, make: Callable[[str], V]) -> None:
        self._make = make

    def __getitem__(self, key: str) -> V:
        return self._make(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def order(work: Path, count: int) -> Order:
    """Order the charter for so many pupils of one school, each with a tablet."""
    pupils = people(count)
    cessions = {person.id: cession_for(person, n) for n, person in enumerate(pupils)}
    devices = {each.serial: Device(each.serial, MODEL) for each in cessions.values()}
    return _order(work, Roster(tuple(pupils), YEAR, devices, cessions))


def town_order(work: Path, count: int) -> Order:
    """Order the charter for a first few pupils of a town, whose tablets are told when asked."""
    first = tuple(Town(min(count, SLICE)))
    return _order(work, Roster(first, YEAR, Computed(_device), Computed(_cession)))


def elsewhere(wanted: Order) -> Order:
    """Give the same order for another school."""
    digits = "0069999"
    other = replace(
        wanted.school,
        uai=digits + uai_letter(digits),
        name="Lycée professionnel des Sources",
        city="Villeneuve-sur-Asse",
    )
    return replace(wanted, school=other)


class Town:
    """Draws pupils a slice at a time, and knows how long the drawing took."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.seconds = self.processor = 0.0

    def __iter__(self) -> Iterator[Person]:
        for start in range(0, self._count, SLICE):
            wall, processor = time.perf_counter(), time.process_time()
            drawn = people(min(SLICE, self._count - start), seed=start + 1)
            # Every slice numbers its pupils from the same first number: count on instead.
            drawn = [
                replace(person, id=str(FIRST_ID + ID_STEP * number))
                for number, person in enumerate(drawn, start)
            ]
            self.processor += time.process_time() - processor
            self.seconds += time.perf_counter() - wall
            yield from drawn


def _order(work: Path, roster: Roster) -> Order:
    template, layout = shared.charter(work)
    return Order(template, layout, school(), roster, on=CEDED_DATE)


def _cession(person: str) -> Cession:
    number = (int(person) - FIRST_ID) // ID_STEP
    return Cession(serial_number(number), person, CEDED_DATE)


def _device(serial: str) -> Device:
    return Device(serial, MODEL)
