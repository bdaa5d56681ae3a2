"""Run a plan: one child process after the other, each bounded, the ways taken in turns."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.clock import NotMeasured, Sample
from bench.plan import Plan, Way, repeated, town

ROOT = Path(__file__).resolve().parent.parent
CHILD_SECONDS = 150.0  # one measure may take this long, whatever the plan
TELLING = 400  # characters of a child's last words
Tell = Callable[[str], None]


@dataclass
class Measures:
    """What a run found: samples of each way, and why some have none."""

    plan: Plan
    material: Sample | None = None
    samples: dict[Way, list[Sample]] = field(default_factory=dict)
    reasons: dict[Way, str] = field(default_factory=dict)
    seconds: float = 0.0

    def median(self, way: Way) -> Sample | None:
        """Give the sample in the middle, by time of processor."""
        found = sorted(self.samples.get(way, ()), key=lambda sample: sample.processor)
        return found[(len(found) - 1) // 2] if found else None


def run(plan: Plan, tell: Tell) -> Measures:
    """Measure everything; what fails, or comes too late, leaves a reason in its place."""
    measures = Measures(plan)
    began = time.monotonic()
    deadline = began + plan.seconds
    with tempfile.TemporaryDirectory(prefix="docgen-bench-") as folder:
        work = Path(folder)
        kept = max(plan.weasyprint, plan.acroform, *plan.typst)
        tell("compiling the forms")
        arguments = {"count": max(kept, 200), "kept": kept}
        measures.material = measure("material", work, arguments, CHILD_SECONDS)
        # The ways take turns, so that a busy moment of the machine falls on all of them.
        ways = repeated(plan)
        turns = [*ways, town(plan.largest), *(ways * (plan.rounds - 1))]
        for number, way in enumerate(turns, 1):
            tell(f"{number}/{len(turns)} {way.title}")
            _measure_way(measures, way, work, deadline - time.monotonic())
    measures.seconds = time.monotonic() - began
    return measures


def measure(name: str, work: Path, arguments: dict[str, Any], seconds: float) -> Sample:
    """Measure one way in a child process, ended when it takes too long.

    Raises:
        NotMeasured: when the child cannot measure, fails or is ended.
    """
    if name == "first":
        arguments = {**arguments, "born": time.perf_counter()}
    command = [sys.executable, "-m", "bench.child", name, str(work), json.dumps(arguments)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"ended after {seconds:.0f} s") from error
    if done.returncode:
        raise NotMeasured(f"failed: {done.stderr.strip()[-TELLING:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if "sample" not in answer:
        raise NotMeasured(answer["reason"])
    return Sample(**answer["sample"])


def _measure_way(measures: Measures, way: Way, work: Path, left: float) -> None:
    if left <= 0 or way in measures.reasons:
        measures.reasons.setdefault(way, "no time left")
        return
    try:
        sample = measure(way.name, work, {"count": way.count}, min(left, CHILD_SECONDS))
    except NotMeasured as reason:
        measures.reasons[way] = str(reason)
    else:
        measures.samples.setdefault(way, []).append(sample)
