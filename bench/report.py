"""What a run says: the ways side by side, how ours grows, and whether targets are met."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from operator import ge, le
from typing import Any

from bench.clock import Sample
from bench.plan import FIRST, Way, peers, town
from bench.running import Measures
from docgen.cli import output

PACKAGES = ("weasyprint", "typst", "pypdf", "uharfbuzz", "numpy")
BUSY = 1.25  # wall time over time of processor, from which the machine was doing something else
GROWTH = 1.1  # time may grow by this much more than the documents


@dataclass(frozen=True, slots=True)
class Target:
    """What we promise ourselves, and what was measured; None when it could not be."""

    what: str
    bound: str
    wanted: float
    unit: str
    measured: float | None

    @property
    def verdict(self) -> str:
        """Say whether it is met."""
        if self.measured is None:
            return "not measured"
        holds = (ge if self.bound == "at least" else le)(self.measured, self.wanted)
        return "met" if holds else "falls short"


def times(ours: Sample | None, other: Sample | None) -> float | None:
    """Say how many documents we make while the other makes one."""
    return ours.rate / other.rate if ours and other else None


def targets(measures: Measures) -> list[Target]:
    """Confront a run with what we promise ourselves."""
    plan = measures.plan
    ours, weasyprint, *_ = (measures.median(way) for way in peers(plan))
    typst = [times(ours, measures.median(way)) for way in peers(plan) if way.name == "typst"]
    small, large = (measures.median(town(count)) for count in (plan.towns[-1], plan.largest))
    first = measures.median(FIRST)
    size = ours.bytes_per_side if ours else None
    peak = large.memory if large else None
    begun = first.facts["first"] if first else None
    time = large.processor / small.processor if large and small else None
    memory = large.memory / small.memory if large and small else None
    grown = f"{plan.largest:,} documents over {plan.towns[-1]:,}"
    longest = GROWTH * plan.largest / plan.towns[-1]
    best = min((each for each in typst if each), default=None)
    return [
        Target("documents/s over WeasyPrint’s", "at least", 600, "×", times(ours, weasyprint)),
        Target("documents/s over Typst’s best", "at least", 35, "×", best),
        Target("bytes a side", "at most", 550, "", size),
        Target(f"{grown}: time", "at most", longest, "×", time),
        Target(f"{grown}: memory", "at most", 1.2, "×", memory),
        Target("peak memory of the largest", "at most", 400, "MB", peak),
        Target("first document, new school", "at most", 0.5, "s", begun),
    ]


def as_json(measures: Measures) -> dict[str, Any]:
    """Give everything that was measured."""
    ours = measures.median(peers(measures.plan)[0])
    ways = {**measures.samples, **dict.fromkeys(measures.reasons)}
    return {
        "seconds": round(measures.seconds, 1),
        "cores": os.cpu_count(),
        "versions": _versions(),
        "material": asdict(measures.material) if measures.material else None,
        "ways": [_way(measures, way, ours) for way in ways],
        "targets": [{**asdict(target), "verdict": target.verdict} for target in targets(measures)],
    }


def say(measures: Measures) -> None:
    """Print a run for a person."""
    plan = measures.plan
    output.say("The same text and people, one way after the other, each alone on one core.")
    output.say("Documents/s are those of a second of processor; median of the rounds.\n")
    heads = ("Documents", "Wall s", "Processor s", "Documents/s", "Sides/s", "Peak MB")
    ours = measures.median(peers(plan)[0])
    rows = [
        (way.title, *_figures(measures.median(way)), *_compared(measures.median(way), ours))
        for way in peers(plan)
    ]
    output.table(("Way", *heads, "Bytes/side", "Ours is"), rows)
    output.say()
    towns = [town(count) for count in (*plan.towns, plan.largest)]
    output.table(
        ("Ours, for a town", *heads),
        [(way.title, *_figures(measures.median(way))) for way in towns],
    )
    output.say()
    output.table(
        ("Target", "Wanted", "Measured", "Verdict"),
        [
            (each.what, f"{each.bound} {each.wanted:g} {each.unit}", _measured(each), each.verdict)
            for each in targets(measures)
        ],
    )
    output.say()
    for note in notes(measures):
        output.say(f"- {note}")


def notes(measures: Measures) -> Iterator[str]:
    """Tell what the tables cannot: what is not the same, and what was not measured."""
    yield "The others print no codes, no references and no bookmarks, which favours them."
    material, first = measures.material, measures.median(FIRST)
    if material:
        cold = f"{material.seconds:.1f} s ({material.processor:.1f} s of processor)"
        yield f"Our forms are compiled beforehand, once for a version of the template: {cold}."
    if first:
        since = first.facts["since_start"]
        yield f"From the start of the process, the first document took {since:.2f} s."
    if (large := measures.median(town(measures.plan.largest))) and "grown" in large.facts:
        yield (
            f"{large.documents:,} documents are {large.facts['volumes']} volumes; from the first to"
            f" the last, the memory held grew by {large.facts['grown']:.1f} MB."
        )
    for way in peers(measures.plan):
        if (sample := measures.median(way)) and way.name == "typst":
            pages = sample.sides / sample.documents
            leading = material.facts.get("leading", "") if material else ""
            yield f"{way.title}: {pages:g} pages each, leading × {leading} to get there."
    for way, reason in measures.reasons.items():
        yield f"{way.title}: not measured, {reason}."
    everything = [sample for samples in measures.samples.values() for sample in samples]
    wall = sum(sample.seconds for sample in everything)
    processor = sum(sample.processor for sample in everything)
    if wall > BUSY * processor:
        share = wall / processor
        yield f"The machine was busy with other work: wall clock {share:.1f} × processor."
    yield f"{measures.seconds:.0f} s in all."


def _way(measures: Measures, way: Way, ours: Sample | None) -> dict[str, Any]:
    middle = measures.median(way)
    return {
        **asdict(way),
        "documents_per_second": middle and middle.rate,
        "bytes_per_side": middle and middle.bytes_per_side,
        "ours_is_times": times(ours, middle),
        "median": middle and asdict(middle),
        "samples": [asdict(sample) for sample in measures.samples.get(way, ())],
        "reason": measures.reasons.get(way, ""),
    }


def _figures(sample: Sample | None) -> tuple[str, ...]:
    if sample is None:
        return ("-",) * 6
    return (
        f"{sample.documents:,}",
        f"{sample.seconds:.2f}",
        f"{sample.processor:.2f}",
        f"{sample.rate:,.{1 if sample.rate < 100 else 0}f}",
        f"{sample.rate * sample.sides / sample.documents:,.0f}",
        f"{sample.memory:,.0f}",
    )


def _compared(sample: Sample | None, ours: Sample | None) -> tuple[str, str]:
    if sample is None or ours is None:
        return "-", "-"
    ratio = times(ours, sample)
    return f"{sample.bytes_per_side:,.0f}", "1 ×" if sample is ours else f"{ratio:,.0f} ×"


def _measured(target: Target) -> str:
    return "-" if target.measured is None else f"{target.measured:,.4g} {target.unit}".strip()


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found
