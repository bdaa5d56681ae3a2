"""What every way works on, made once: compiled forms, values, blank forms, a Typst source."""

from importlib.util import find_spec
from pathlib import Path

from bench import shared, town, typst_peer
from bench.clock import Clock, Sample
from docgen.library import Template
from docgen.manifest import Layout
from docgen.press import Job, prepare
from docgen.rendering import flow


def make(work: Path, count: int, kept: int) -> Sample:
    """Make it all; the time is that of an order whose forms are not compiled yet.

    `count` people are ordered; `kept` of them, evenly spread, are those that the peers print.
    """
    shared.copy_templates(work)
    wanted = town.order(work, count)
    with Clock() as clock:
        job = prepare(wanted, town.KEY, work / "cache")
    _keep_people(work, job, kept)
    _make_blanks(work, wanted.template, wanted.layout)
    facts = typst_peer.make(work, wanted.template, wanted.layout) if find_spec("typst") else {}
    variants = job.run.form.variants.values()
    sides = sum(len(variant.pages) for variant in variants)
    return clock.sample(len(variants), sides, len(job.run.form.objects), **facts)


def _keep_people(work: Path, job: Job, count: int) -> None:
    """Keep what the press itself prints for people: its values, cleaned."""
    documents = list(job.documents())
    chosen = (documents[n * len(documents) // count].copy for n in range(count))
    shared.keep(
        work,
        (
            {"variant": copy.variant, "values": {**job.run.constants, **copy.values}}
            for copy in chosen
        ),
    )


def _make_blanks(work: Path, template: Template, layout: Layout) -> None:
    """Make the fillable forms; untagged, which is less for pypdf to read and to write."""
    for variant in template.manifest.variants:
        laid_out = flow.render(template, layout, variant, flow.BlankPen())
        content = bytes(laid_out.write_pdf(pdf_forms=True))
        (work / shared.BLANK.format(variant.name)).write_bytes(content)
