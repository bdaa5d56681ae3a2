"""One measure in a process of its own: `python -m bench.child NAME '{"count": 50}'`."""

import json
import os
import resource
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.clock import NotMeasured

# Each way loads its own libraries and no other's: memory is that of the way.
WAYS = {
    "material": "bench.material:make",
    "docgen": "bench.ours:press",
    "town": "bench.ours:press_town",
    "first": "bench.ours:first_document",
    "weasyprint": "bench.weasyprint_peer:press",
    "typst": "bench.typst_peer:press",
    "acroform": "bench.acroform_peer:press",
    "scan-pile": "bench.scan_speed:make_pile",
    "scan-large": "bench.scan_speed:make_large",
    "scan-ours": "bench.scan_speed:ours",
    "scan-usual": "bench.scan_speed:usual",
    "scan-memory": "bench.scan_speed:memory",
}
MEMORY = 8 << 30  # bytes a way may ask for: a bench must not bring its machine down


def main() -> None:
    """Measure and print the sample, or why there is none, as one line of JSON."""
    name, work, arguments = sys.argv[1:]
    # On one core, threads and all: a way that uses two would not be compared but favoured.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        answer: dict[str, Any] = {"sample": measured(name, Path(work), json.loads(arguments))}
    except NotMeasured as reason:
        answer = {"reason": str(reason)}
    print(json.dumps(answer))


def measured(name: str, work: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure one way and give its sample as JSON holds it."""
    module, _, function = WAYS[name].partition(":")
    return asdict(getattr(import_module(module), function)(work, **arguments))


if __name__ == "__main__":
    main()
