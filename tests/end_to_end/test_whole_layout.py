"""A page filled by the press is the page that WeasyPrint would have laid out whole."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from docgen.datafolder import data_folder
from docgen.press import Job, prepare
from docgen.rendering import compiling, flow
from docgen.rendering.form import Form
from docgen.rendering.pictures import greys
from docgen.rendering.printfile import Document, bind
from docgen.rendering.typesetting import Typesetter
from tests.end_to_end.pressing import KEY, LAYOUTS, everybody, order

PEOPLE = 12  # the ten nasty ones, and two ordinary; each is laid out whole, half a second
DPI = 150
BASES = sorted({(slug, layout) for slug, layout, *_ in LAYOUTS if layout != "reduction"})


def whole(job: Job, document: Document) -> Form:
    """Lay one document out whole, as a form without slots."""
    form, manifest = job.run.form, job.run.manifest
    variant = next(each for each in manifest.variants if each.name == document.copy.variant)
    setter = Typesetter()

    def fit(field: str, occurrence: int, value: str) -> tuple[float, list[str]]:
        slot = form.slots(variant.name, field)[occurrence]
        setting = setter.fit(value, slot.width / slot.size, slot.lines)
        assert setting is not None
        return setting.share, [run.text for run in setting.lines]

    pen = flow.ValuePen({**job.run.constants, **document.copy.values}, fit)
    base = manifest.layout(job.order.layout.base)
    pdf = flow.render(job.order.template, base, variant, pen).write_pdf()
    laid_out = compiling.from_pdf(pdf)
    pages = {variant.name: laid_out.variants[""]}
    return Form(form.checksum, form.width, form.height, pages, laid_out.objects, laid_out.offsets)


def differences(slug: str, base: str) -> list[tuple[str, int, float]]:
    """Compare every side of every layout of the same base."""
    worst: list[tuple[str, int, float]] = []
    jobs = [
        prepare(order(slug, layout, everybody(slug, PEOPLE)), KEY, data_folder() / "cache")
        for layout in [each for s, each, *_ in LAYOUTS if s == slug]
    ]
    jobs = [job for job in jobs if job.order.layout.base == base]
    for documents in zip(*(job.documents() for job in jobs), strict=True):
        form = whole(jobs[0], documents[0])
        for job, document in zip(jobs, documents, strict=True):
            pressed, laid_out = BytesIO(), BytesIO()
            bind(job.run, [document], pressed)
            bind(replace(job.run, form=form), [document], laid_out)
            sides = list(range(job.order.layout.sides))
            pairs = zip(
                greys(pressed.getvalue(), DPI, sides),
                greys(laid_out.getvalue(), DPI, sides),
                strict=True,
            )
            for side, (ours, theirs) in enumerate(pairs):
                share = (abs(ours.astype(np.int16) - theirs) > 32).mean()
                worst.append((f"{document.person} {job.order.layout.name}", side, float(share)))
    return worst


@pytest.mark.slow
@pytest.mark.parametrize(("slug", "base"), BASES)
def test_filled_and_laid_out_whole_are_alike(slug: str, base: str) -> None:
    """At 150 dpi, at most 0.1 % of pixels differ by more than 32 grey levels."""
    found = differences(slug, base)
    layouts = sum(
        1
        for s, layout, *_ in LAYOUTS
        if s == slug and (layout == base or (base == "police-10" and layout == "reduction"))
    )
    people = len({name.split()[0] for name, *_ in found})
    assert people == PEOPLE
    assert len({name.split()[1] for name, *_ in found}) == layouts
    worst = max(found, key=lambda each: each[2])
    assert worst[2] <= 0.001, worst
