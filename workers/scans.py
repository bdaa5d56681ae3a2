"""Scans, read by parts; and the documents that came home, bound."""

from pathlib import Path
from typing import Any

import msgspec

from docgen.backoffice import awaiting, bindings, scans, store
from docgen.backoffice.models import Binding, ScanPart
from docgen.backoffice.queue import BIND, READ, app
from docgen.datafolder import data_folder, page_code_keys
from workers.children import Limits, Outcome, Say
from workers.working import Make, work_on

READING = Limits(memory=2**30, processor=10, wall=60, file=2**30)
BINDING = Limits(memory=2**30, processor=120, wall=180, file=2**30)
COPY, PREVIEWS = "copy.pdf", "previews.bin"


@app.task(name=f"docgen.{READ}")
def read_scan(identifier: str) -> None:
    """Read the sides that wait; the identifier only says that there are some."""
    work_on(ScanPart, _begin_part, _finish_part, scans.fail, READING, died=_skip_side)


@app.task(name=f"docgen.{BIND}")
def bind_returns(identifier: str) -> None:
    """Bind the documents that wait; the identifier only says that there are some."""
    work_on(Binding, _begin_binding, _finish_binding, bindings.fail, BINDING, died=_skip_document)


def _begin_part(part: ScanPart) -> Make:
    # Loaded once, for all the children to come.
    from docgen.scanning.reading import read_part

    wanted, keys = scans.begin(part), page_code_keys(data_folder())
    path, awaited = store.borrowed(wanted.sha256), awaiting.of(part)

    def make(say: Say, folder: Path) -> dict[str, Any]:
        sides = (wanted.first, wanted.last)
        options: dict[str, Any] = {"skipped": wanted.skipped, "awaited": awaited}
        read = read_part(path, *sides, keys, folder, say=say, **options)
        return {
            "kind": read.kind,
            "sides": read.sides,
            "last": read.last,
            "readings": msgspec.to_builtins(read.readings),
        }

    return make


def _finish_part(part: ScanPart, facts: dict[str, Any], folder: Path) -> bool:
    names = {"copy": store.keep(folder / COPY), "previews": store.keep(folder / PREVIEWS)}
    if scans.finish(part, facts, names):
        return True
    store.drop_unused(names.values())
    return False


def _skip_side(part: ScanPart, outcome: Outcome) -> bool:
    side = None if outcome.said is None else part.first + outcome.said
    return scans.skip(part, side, is_slow=outcome.is_slow)


def _begin_binding(binding: Binding) -> Make:
    wanted = bindings.begin(binding)

    def make(say: Say, folder: Path) -> list[dict[str, Any]]:
        return bindings.make(wanted, folder, say)

    return make


def _finish_binding(binding: Binding, made: list[dict[str, Any]], folder: Path) -> bool:
    bound = {each["id"]: folder / each["file"] for each in made if each["file"]}
    files = {key: (store.keep(path), path.stat().st_size) for key, path in bound.items()}
    if bindings.finish(binding, made, files):
        return True
    store.drop_unused(name for name, _ in files.values())
    return False


def _skip_document(binding: Binding, outcome: Outcome) -> bool:
    return bindings.skip(binding, outcome.said)
