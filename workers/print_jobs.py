"""Volumes of print jobs, printed."""

from functools import lru_cache
from pathlib import Path

from docgen.backoffice import pressing, print_jobs, store
from docgen.backoffice.models import PrintJob, Volume
from docgen.backoffice.queue import PRINT, app
from docgen.datafolder import data_folder, page_code_keys
from docgen.rendering.printfile import Run
from workers.children import Limits, Say
from workers.working import Make, work_on

LIMITS = Limits()


@app.task(name=f"docgen.{PRINT}")
def print_volume(identifier: str) -> None:
    """Print what is most urgent; the identifier only says that there is something."""
    work_on(Volume, _begin, _finish, print_jobs.fail, LIMITS)


def _begin(volume: Volume) -> Make:
    job = PrintJob.objects.select_related("template").get(pk=volume.job_id)
    run = _run(job)
    documents = pressing.documents_of(volume)
    file = pressing.file_name(job, volume.number)

    def make(say: Say, folder: Path) -> dict[str, int]:
        return pressing.press(run, documents, file, folder, say)

    return make


def _finish(volume: Volume, facts: dict[str, int], folder: Path) -> bool:
    names = {
        "sha256": store.keep(folder / pressing.VOLUME),
        "register": store.keep(folder / pressing.REGISTER),
    }
    if print_jobs.finish(volume, {**facts, **names}):
        return True
    store.drop_unused(names.values())
    return False


def _run(job: PrintJob) -> Run:
    return _runs(job.pk, job)


@lru_cache(maxsize=8)
def _runs(identifier: object, job: PrintJob) -> Run:
    return pressing.run_of(job, page_code_keys(data_folder()))
