"""The register of a school, read for attestations: pupils, teachers, cessions and what is left."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from docgen import rosters
from docgen.attestations import Entry, Row, StockLine, natural
from docgen.records import Audience, Device, School
from docgen.rosters.gathering import Findings, Gathered, enumeration, is_discreet
from docgen.rosters.stock import SERIAL, read_register, read_stock, settle
from docgen.rosters.tables import Column, read_table
from docgen.rosters.text import fold

NATURE = Column("nature", "Nature", ("type", "operation"))
CEDED = {"", "cession", "cede", "cedee"}
LOAN, CANCELLED = "pret", "annul"
SHOWN = 10  # identifiers named in a message
Place: TypeAlias = tuple[Audience, str]  # pupil or teacher, and the class


@dataclass(frozen=True, slots=True)
class Register:
    """Who received which tablet, what the school still holds, and what was corrected on the way."""

    entries: tuple[Entry, ...]
    stock: tuple[StockLine, ...] | None
    notices: tuple[str, ...]


def read(
    school: School,
    *,
    pupils: Sequence[Path],
    teachers: Sequence[Path],
    cessions: Path,
    stock: Path | None = None,
    attested: Iterable[Row] = (),
) -> Register:
    """Read the files of a school as a register.

    Who is on a former attestation is known when no list of people names them any more, and so is
    their tablet when the stock has left it out.

    Raises:
        RosterRejected: with every problem of all the files.
    """
    findings = Findings()
    people: dict[Audience, Gathered] = {"pupil": _gathered(pupils, school, "pupil", findings)}
    if teachers:
        people["teacher"] = _gathered(teachers, school, "teacher", findings)
    everybody = _together(people, findings)
    rows = list(attested)
    former: dict[str, Place] = {row.person_id: (row.audience, row.division) for row in rows}
    everybody.keys = {key: key for key in former} | everybody.keys
    aside = _aside(cessions, findings)
    handovers = [*everybody.handovers, *read_register(cessions, everybody, findings, aside)]
    devices = read_stock(stock, findings) if stock else None
    ceded = settle(handovers, _with_attested(devices, rows), findings)
    findings.refuse_if_any()
    known = _known(people, former)
    entries = [
        Entry(cession.serial, cession.person_id, *known[cession.person_id], cession.ceded_date)
        for cession in ceded.values()
    ]
    left = stock_left(devices, {entry.serial for entry in entries}) if devices is not None else None
    return Register(tuple(entries), left, tuple(findings.notices))


def _gathered(
    paths: Sequence[Path], school: School, audience: Audience, findings: Findings
) -> Gathered:
    # The people of `rosters.read`, with those set aside, whose cessions are attested all the same.
    gathered = rosters.gather(paths, school, audience, findings)
    # An INE leads to nobody once its pupil has left, and may not be printed: the id is asked for.
    gone = {key for key in gathered.aside if is_discreet(key)}
    gathered.keys |= {key: key for key in gone}
    gathered.aside.clear()
    return gathered


def _together(people: Mapping[Audience, Gathered], findings: Findings) -> Gathered:
    everybody = Gathered()
    for gathered in people.values():
        both = sorted(everybody.keys.keys() & gathered.keys.keys())
        if both:
            what = "ces identifiants désignent à la fois un élève et un professeur"
            listed = enumeration(both[:SHOWN])
            findings.problem(f"{what} : {listed}.", "fichiers des personnes", "Distinguez-les.")
        everybody.keys |= gathered.keys
        everybody.handovers += gathered.handovers
        everybody.is_complete &= gathered.is_complete
    return everybody


def _known(people: Mapping[Audience, Gathered], former: Mapping[str, Place]) -> dict[str, Place]:
    """Give the place of everybody: who was set aside has no class, or that of an attestation."""
    known: dict[str, Place] = {
        key: (audience, "")
        for audience, gathered in people.items()
        for key in gathered.keys.values()
    }
    known |= former
    for audience, gathered in people.items():
        known |= {person.id: (audience, person.division) for person in gathered.people}
    return known


def _with_attested(
    devices: Mapping[str, Device] | None, rows: Iterable[Row]
) -> dict[str, Device] | None:
    if devices is None:
        return None
    return {row.serial: Device(row.serial) for row in rows} | dict(devices)


def _aside(path: Path, findings: Findings) -> set[str]:
    """Tell where the lines are that are no cession: loans, and what was cancelled."""
    natures: dict[str, str] = {}
    again = Findings()  # the register is read again with its other columns: faults are told once
    with again.collecting():
        for line in read_table(path, (SERIAL, NATURE), again):
            word = fold(line["nature"])
            if word in CEDED:
                continue
            natures[line.where] = nature = _nature(word)
            if not nature:
                what = "« Nature » n’est ni cession, ni prêt, ni annulée."
                findings.problem(what, line.where, "Corrigez la cellule.")
    counts = Counter(natures.values())
    if counts[LOAN]:
        findings.notice(f"{counts[LOAN]} prêt(s) laissés de côté : ils ne s’attestent pas.")
    if counts[CANCELLED]:
        findings.notice(f"{counts[CANCELLED]} ligne(s) annulées, laissées de côté.")
    return set(natures)


def _nature(word: str) -> str:
    """Tell a loan from what was cancelled; "" for anything else, a loan that was ceded too."""
    if CANCELLED in word:
        return CANCELLED
    return LOAN if word.startswith(LOAN) and "ced" not in word and "cession" not in word else ""


def stock_left(devices: Mapping[str, Device], ceded: set[str]) -> tuple[StockLine, ...]:
    """Count what a school still holds, by model and state: the stock without what was ceded."""
    counts = Counter(
        (device.model, device.state) for device in devices.values() if device.serial not in ceded
    )
    ordered = sorted(counts, key=lambda each: (natural(each[0]), natural(each[1]), each))
    return tuple(StockLine(model, state, counts[model, state]) for model, state in ordered)
