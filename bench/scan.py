"""`python -m bench.scan`: scan what we print as schools do, read it, and hold it to our goals."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import scan_report, scan_sides, scan_zones
from bench.clock import NotMeasured, Sample
from bench.running import Tell, measure
from bench.scan_report import Findings, Plan
from bench.scan_sides import CHUNK, Series, Tally
from bench.scan_speed import PILES
from docgen.cli import output
from samples.scanner import FAMILIES

CHILD_SECONDS = 600.0
SEED = 5  # of the recipe that names a family
EVERY = 20  # chunks between two words of progress


def main() -> int:
    """Read the options, measure and report; 1 when a goal is missed or could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.scan", description=__doc__)
    parser.add_argument("--sides", type=int, default=5000, help="of the mixed population")
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything")
    parser.add_argument("--only", choices=("sides", "zones", "speed"), help="one part alone")
    parser.add_argument("--json", action="store_true", help="everything measured, as JSON")
    options = parser.parse_args()
    plan = Plan.of(options.sides, quick=options.quick)
    findings = run(plan, options.only or "", output.warn)
    if options.json:
        output.say_json(scan_report.as_json(findings))
    else:
        scan_report.say(findings)
    return 0 if all(target.verdict == "met" for target in scan_report.targets(findings)) else 1


def run(plan: Plan, only: str, tell: Tell) -> Findings:
    """Measure the parts of a plan, or one of them alone."""
    findings = Findings(plan)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="docgen-bench-") as folder:
        work = Path(folder)
        # Before the rest: children alone on a core measure better when nothing else was started.
        if only in ("", "speed"):
            _speed(findings, work, tell)
        if only in ("", "sides"):
            series = _series(plan)
            findings.sides = _counted(series, work, scan_sides.chunk, "sides", tell)
        if only in ("", "zones"):
            names = (scan_zones.SIGNED, scan_zones.EMPTY)
            series = [Series(name, plan.zones) for name in names]
            findings.zones = _counted(series, work, scan_zones.chunk, "zones", tell)
    findings.seconds = time.monotonic() - began
    return findings


def _series(plan: Plan) -> list[Series]:
    """List the piles: populations, what is not ours, backs, and each family of damage."""
    import numpy as np

    named = [draw(np.random.default_rng(SEED)).family for draw in FAMILIES]
    return [
        Series("mixed", plan.mixed),
        Series("office", plan.office),
        *(Series(name, plan.strangers) for name in scan_report.STRANGERS),
        *(Series(name, plan.backs) for name in scan_report.BACKS),
        *(Series(name, plan.family, number) for number, name in enumerate(named)),
    ]


def _counted(
    series: list[Series], work: Path, do: scan_sides.Work, what: str, tell: Tell
) -> dict[str, Tally]:
    chunks = sum(-(-each.count // CHUNK) for each in series)

    def told(done: int) -> None:
        if done % EVERY == 0 or done == chunks:
            tell(f"{what}: {done} of {chunks} chunks of {CHUNK}")

    return scan_sides.measure(series, work / "cache", do, told)


def _speed(findings: Findings, work: Path, tell: Tell) -> None:
    """Measure speed, ways in turns, then memory; what cannot be measured leaves a reason."""
    plan = findings.plan
    turns: list[tuple[str, str, dict[str, Any]]] = [
        ("", "scan-pile", {"name": name, "count": plan.pile}) for name in PILES
    ]
    for _ in range(plan.rounds):
        turns += [
            (f"{way} {name}", f"scan-{way}", {"name": name})
            for name in PILES
            for way in ("ours", "usual")
        ]
    for count in plan.large:
        turns += [("", "scan-large", {"count": count})]
        turns += [(f"memory {count}", "scan-memory", {"count": count})]
    for number, (key, way, arguments) in enumerate(turns, 1):
        tell(f"speed: {number} of {len(turns)}: {way} {json.dumps(arguments)}")
        try:
            sample: Sample = measure(way, work, arguments, CHILD_SECONDS)
        except NotMeasured as reason:
            findings.reasons[key or f"{way} {arguments}"] = str(reason)
        else:
            if key:
                findings.speeds.setdefault(key, []).append(sample)


if __name__ == "__main__":
    sys.exit(main())
