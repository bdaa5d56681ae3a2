"""What a run of the scan bench says: tables, and whether each goal is met."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from bench.clock import Sample
from bench.report import Target
from bench.scan_sides import Tally
from bench.scan_speed import PILES
from bench.scan_zones import EMPTY, SIGNED
from docgen.cli import output

STRANGERS = ("other installation", "edited code", "without our code")
BACKS = ("blank backs", "backs with a line")
RATIOS = {"grey-200": 8.0, "colour-300": 7.0}  # goals; G4 is told without one


@dataclass(frozen=True, slots=True)
class Plan:
    """How many sides of each series, and how large the piles are."""

    mixed: int = 5000
    office: int = 10_000
    family: int = 100
    strangers: int = 500
    backs: int = 500
    zones: int = 1000
    pile: int = 75
    rounds: int = 3
    large: tuple[int, int] = (200, 2000)

    @staticmethod
    def of(sides: int, *, quick: bool) -> "Plan":
        """Plan for so many sides of the mixed population and twice as many of the office."""
        if quick:
            return Plan(sides // 20, sides // 10, 10, 25, 25, 50, 60, 1, (50, 200))
        return Plan(sides, 2 * sides)


@dataclass
class Findings:
    """Everything measured; speeds are by way and pile, reasons for what has none."""

    plan: Plan
    sides: dict[str, Tally] = field(default_factory=dict)
    zones: dict[str, Tally] = field(default_factory=dict)
    speeds: dict[str, list[Sample]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def speed(self, key: str) -> Sample | None:
        """Give the sample in the middle, by time of processor."""
        found = sorted(self.speeds.get(key, ()), key=lambda sample: sample.processor)
        return found[(len(found) - 1) // 2] if found else None

    def ratio(self, pile: str) -> float | None:
        """Say how many sides we read while the usual way reads one."""
        ours, usual = (self.speed(f"{way} {pile}") for way in ("ours", "usual"))
        return ours.rate / usual.rate if ours and usual else None


def targets(findings: Findings) -> list[Target]:
    """Hold a run to the goals of the return."""
    sides, zones = findings.sides, findings.zones
    false = sum(tally.false for tally in sides.values()) if sides else None
    hidden = sides["backs with a line"].verdicts["blank"] if sides else None
    astray = sum(tally.turned_wrong for tally in sides.values()) if sides else None
    small, large = (findings.speed(f"memory {count}") for count in findings.plan.large)
    grown = large.memory / small.memory if small and large else None
    peak = large.memory if large else None
    return [
        Target("mixed population recognised", "at least", 99.8, "%", _share(sides.get("mixed"))),
        Target("office scans recognised", "at least", 99.99, "%", _share(sides.get("office"))),
        Target("sides taken for another", "at most", 0, "", false),
        Target("sides turned wrong", "at most", 0, "", astray),
        Target("backs with ink called blank", "at most", 0, "", hidden),
        Target("empty zones missed", "at most", 1, "%", _wrong(zones.get(EMPTY))),
        Target("signed zones called empty", "at most", 0.5, "%", _wrong(zones.get(SIGNED))),
        *(
            Target(
                f"{PILES[name].family}: sides/s over the usual way", "at least", wanted, "×", times
            )
            for name, wanted in RATIOS.items()
            for times in (findings.ratio(name),)
        ),
        Target(
            "memory, {1:,} sides over {0:,}".format(*findings.plan.large),
            "at most",
            1.3,
            "×",
            grown,
        ),
        Target("peak memory of the largest pile", "at most", 500, "MB", peak),
    ]


def verdict(target: Target) -> str:
    """Say whether a goal is met, or by how much it is not."""
    if target.measured is None or target.verdict == "met":
        return target.verdict
    return f"falls short by {abs(target.measured - target.wanted):.3g} {target.unit}".strip()


def say(findings: Findings) -> None:
    """Print a run for a person."""
    if findings.sides:
        output.table(
            ("Series", "Sides", "Recognised", "Taken for another", "Verdicts", "Steps"),
            [_row(name, tally) for name, tally in findings.sides.items()],
        )
        output.say()
    if findings.zones:
        output.table(
            ("Zones of", "Zones", "Told right", "Told wrong", "Verdicts"),
            [
                (name, f"{each.sides:,}", _percent(each), str(each.false), _counts(each.verdicts))
                for name, each in findings.zones.items()
            ],
        )
        output.say()
    if findings.speeds:
        rows = [row for name in PILES for row in _speeds(findings, name)]
        output.table(("Pile", "Way", "Sides", "MB", "Sides/s", "Read", "Peak MB", "Ratio"), rows)
        output.say()
        _say_memory(findings)
    output.table(
        ("Goal", "Wanted", "Measured", "Verdict"),
        [
            (each.what, f"{each.bound} {each.wanted:g} {each.unit}", _measured(each), verdict(each))
            for each in targets(findings)
        ],
    )
    output.say()
    for note in notes(findings):
        output.say(f"- {note}")


def notes(findings: Findings) -> Iterator[str]:
    """Tell what the tables cannot: sides that went wrong, and what was not measured."""
    for name, tally in {**findings.sides, **findings.zones}.items():
        for line in tally.told:
            yield f"{name}, {line}."
    for key, reason in findings.reasons.items():
        yield f"{key}: not measured, {reason}."
    if findings.speeds:
        yield "Ours also writes clean copies and previews; the usual way decodes, and no more."
    yield f"{findings.seconds:.0f} s in all. Simulations flatter: real scans are the judge."


def as_json(findings: Findings) -> dict[str, Any]:
    """Give everything that was measured."""
    return {
        **msgspec.to_builtins(findings),  # asdict takes counters apart, in Python 3.11
        "targets": [{**asdict(each), "verdict": verdict(each)} for each in targets(findings)],
    }


def _row(name: str, tally: Tally) -> tuple[str, ...]:
    known = name not in STRANGERS + BACKS
    recognised = _percent(tally) if known else "-"
    counts = _counts(tally.verdicts), _counts(tally.steps)
    return (name, f"{tally.sides:,}", recognised, str(tally.false), *counts)


def _speeds(findings: Findings, name: str) -> Iterator[tuple[str, ...]]:
    for way in ("ours", "usual"):
        if sample := findings.speed(f"{way} {name}"):
            ratio = findings.ratio(name) if way == "ours" else None
            yield (
                *(PILES[name].family, way, f"{sample.sides:,}", f"{sample.bytes / 1e6:.0f}"),
                *(f"{sample.rate:.1f}", f"{sample.facts['read']:,}", f"{sample.memory:.0f}"),
                f"{ratio:.1f} ×" if ratio else "",
            )


def _say_memory(findings: Findings) -> None:
    samples = [findings.speed(f"memory {count}") for count in findings.plan.large]
    rows = [
        (f"{each.sides:,}", f"{each.bytes / 1e6:,.0f}", f"{each.memory:.0f}", f"{each.seconds:.0f}")
        for each in samples
        if each
    ]
    output.table(("Sides, read part by part in children", "MB", "Peak MB", "Seconds"), rows)
    output.say()


def _share(tally: Tally | None) -> float | None:
    return 100 * tally.right / tally.sides if tally and tally.sides else None


def _wrong(tally: Tally | None) -> float | None:
    return 100 * tally.false / tally.sides if tally and tally.sides else None


def _percent(tally: Tally) -> str:
    share = _share(tally)
    return "-" if share is None else f"{share:.2f} %"


def _counts(counter: dict[str, int]) -> str:
    ordered = sorted(counter.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count:,}" for name, count in ordered)


def _measured(target: Target) -> str:
    return "-" if target.measured is None else f"{target.measured:,.5g} {target.unit}".strip()
