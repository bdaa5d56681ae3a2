"""Files of scans read in a child, with the limits of the service."""

import faulthandler
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from docgen.scanning.findings import Reading
from docgen.scanning.reading import read_part
from tests.helpers import KEY
from workers import children
from workers.children import Limits, Outcome

GIGABYTE = 2**30
LIMITS = Limits(memory=GIGABYTE, processor=10, wall=60)


def as_read(picture: Any, keys: object) -> Reading:  # noqa: ANN401
    """Read nothing, but decode everything."""
    told = {"width": picture.width, "height": picture.height, "dpi": picture.dpi}
    if picture.fault:
        return Reading(index=picture.index, verdict="unreadable", reason=picture.fault, **told)
    picture.grey(2)
    picture.grey(1)
    return Reading(index=picture.index, verdict="bare", **told)


def outcome(folder: Path, content: bytes, name: str = "scan", limits: Limits = LIMITS) -> Outcome:
    path = folder / name
    path.write_bytes(content)

    def work(say: Callable[[int], None]) -> object:
        faulthandler.disable()  # that a child aborts is expected, and needs no report
        part = read_part(path, 0, None, {KEY.number: KEY}, folder / "out", say=say, read=as_read)
        return msgspec.to_builtins(part)

    return children.run(work, lambda done: True, limits)


def refusal(folder: Path, content: bytes, name: str = "scan") -> str:
    """Give the sentence of a refusal: what is wrong, and what to do."""
    done = outcome(folder, content, name)
    assert done.verdict == "refused"
    (problem,) = done.problems
    assert problem.remedy
    return str(problem)


def reasons(folder: Path, content: bytes) -> list[str]:
    """Give why each side cannot be read, "" for those that can."""
    done = outcome(folder, content)
    assert done.verdict == "done", done
    return [reading.get("reason", "") for reading in done.result["readings"]]
