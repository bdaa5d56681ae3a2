"""The register of a school, read for attestations: pupils, teachers, cessions and what is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from docgen import rosters
from docgen.attestations import Entry, StockLine, natural
from docgen.records import Audience, Device, School
from docgen.rosters.gathering import Findings, Gathered, enumeration, is_discreet
from docgen.rosters.stock import SERIAL, read_register, read_stock, settle
from docgen.rosters.tables import Column, read_table
from docgen.rosters.text import fold

NATURE = Column("nature", "Nature", ("type", "operation"))
CESSION, LOAN, CANCELLED = "cession", "pret", "annul"
SHOWN = 10  # identifiers named in a message


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
) -> Register:
    """Read the files of a school as a register.

    Raises:
        RosterRejected: with every problem of all the files.
    """
    findings = Findings()
    people: dict[Audience, Gathered] = {"pupil": _gathered(pupils, school, "pupil", findings)}
    if teachers:
        people["teacher"] = _gathered(teachers, school, "teacher", findings)
    everybody = _together(people, findings)
    natures = _natures(cessions, findings)
    handovers = [*everybody.handovers, *read_register(cessions, everybody, findings)]
    devices = read_stock(stock, findings) if stock else None
    given = [each for each in handovers if natures.get(each.where, CESSION) == CESSION]
    ceded = settle(given, devices, findings)
    findings.refuse_if_any()
    known = {
        person.id: (audience, person.division)
        for audience, gathered in people.items()
        for person in gathered.people
    }
    # Who left since is in no list of people: only pupils do, for the exports of staff keep none.
    entries = [
        Entry(cession.serial, cession.person_id, *known.get(cession.person_id, ("pupil", "")), day)
        for cession in ceded.values()
        for day in (cession.ceded_date,)
    ]
    left = _left(devices, {entry.serial for entry in entries}) if devices is not None else None
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


def _natures(path: Path, findings: Findings) -> dict[str, str]:
    """Give the nature of each line that is not a cession: loan or cancelled."""
    natures: dict[str, str] = {}
    aside = Findings()  # the register is read again with its other columns: faults are told once
    with aside.collecting():
        for line in read_table(path, (SERIAL, NATURE), aside):
            word = fold(line["nature"])
            if not word or word.startswith("ced") or word == CESSION:
                continue
            found = next((each for each in (LOAN, CANCELLED) if word.startswith(each)), "")
            if not found:
                what = "« Nature » n’est ni cession, ni prêt, ni annulée."
                findings.problem(what, line.where, "Corrigez la cellule.")
            natures[line.where] = found
    counts = Counter(natures.values())
    if counts[LOAN]:
        findings.notice(f"{counts[LOAN]} prêt(s) laissés de côté : ils ne s’attestent pas.")
    if counts[CANCELLED]:
        findings.notice(f"{counts[CANCELLED]} ligne(s) annulées, laissées de côté.")
    return natures


def _left(devices: Mapping[str, Device], ceded: set[str]) -> tuple[StockLine, ...]:
    counts = Counter(
        (device.model, device.state) for device in devices.values() if device.serial not in ceded
    )
    ordered = sorted(counts, key=lambda each: (natural(each[0]), natural(each[1]), each))
    return tuple(StockLine(model, state, counts[model, state]) for model, state in ordered)
