"""What is measured in a child process: time, time of processor, and peak memory."""

import resource
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class NotMeasured(Exception):
    """A way that cannot be measured here; the message says why, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measure of one way. `seconds` is by the clock on the wall, `processor` is computing."""

    documents: int
    sides: int
    bytes: int
    seconds: float
    processor: float
    memory: float
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Documents a second of one core."""
        return self.documents / self.processor

    @property
    def bytes_per_side(self) -> float:
        """How long a printed side is in the files made."""
        return self.bytes / self.sides


def held() -> float:
    """Give the memory that the process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


class Clock:
    """Times a block, and reads the peak memory of the process (MB) when it ends."""

    def __init__(self) -> None:
        self.seconds = self.processor = self.memory = 0.0

    def __enter__(self) -> "Clock":
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        wall, processor = self._began
        self.processor = time.process_time() - processor
        self.seconds = time.perf_counter() - wall
        # Linux counts it in kibibytes.
        self.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6

    def sample(self, documents: int, sides: int, size: int, **facts: Any) -> Sample:  # noqa: ANN401
        """Give what was measured, for so many documents, sides and bytes."""
        return Sample(documents, sides, size, self.seconds, self.processor, self.memory, facts)
