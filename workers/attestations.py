"""Attestations and their cover letters, pressed."""

from pathlib import Path
from typing import Any

from docgen.backoffice import attestations, store
from docgen.backoffice.models import Attestation
from docgen.backoffice.queue import ATTEST, app
from workers.children import Limits, Say
from workers.working import Make, work_on

LIMITS = Limits(file=256 * 2**20)


@app.task(name=f"docgen.{ATTEST}")
def attest(identifier: str) -> None:
    """Press the attestations that wait; the identifier only says that there are some."""
    work_on(Attestation, _begin, _finish, attestations.fail, LIMITS)


def _begin(row: Attestation) -> Make:
    # Loaded once, for all the children to come; a worker that only prints has no need of it.
    from docgen.rendering import flow, whole  # noqa: F401

    def make(say: Say, folder: Path) -> dict[str, Any]:
        return attestations.press(row, folder)

    return make


def _finish(row: Attestation, facts: dict[str, Any], folder: Path) -> bool:
    files = {name: store.keep(folder / name) for name in facts["names"]}
    return attestations.finish(row, facts, files)
