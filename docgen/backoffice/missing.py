"""What a school printed and still awaits: documents that are not home, or not signed everywhere.

Only what stands is awaited: not what was printed again since, nor the copies that people keep.
"""

from functools import lru_cache
from typing import Any

from django.db.models import Case, Exists, Max, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Replace

from docgen.backoffice import gate, shelf
from docgen.backoffice.awaiting import HOME
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import Document, Paper, PrintJob, Return, State, TemplateVersion
from docgen.backoffice.print_jobs import DUPLICATA
from docgen.backoffice.returns import PRINTED_NOTHING

NOT_ON_PAPER = (PrintJob.Stage.ACCEPTED, *PRINTED_NOTHING)
# A duplicata stands for what it doubles (see returns.Kin).
COPY = Case(
    When(mark=DUPLICATA, then=Value("")),
    default=Replace("mark", Value(f", {DUPLICATA.lower()}"), Value("")),
)


def documents(school: str, who: Actor) -> QuerySet[Document]:
    """Give the documents of print jobs of a school that are still awaited."""
    rows = gate.visible(Document, who).filter(volume__job__school=school).annotate(copy=COPY)
    printed = rows.exclude(volume__job__stage__in=PRINTED_NOTHING)
    kin = ("volume__job__template__slug", "volume__job__school_year", "person", "copy")
    last = printed.order_by().values(*kin).annotate(last=Max("pk")).values("last")
    rows = rows.exclude(volume__job__stage__in=NOT_ON_PAPER).exclude(copy__in=_kept(school))
    return rows.filter(pk__in=last).exclude(_is_home())


def papers(school: str, who: Actor) -> QuerySet[Paper]:
    """Give the attestations and conventions of a school that are still awaited.

    Of an attestation, what is mailed once it is signed: its cover letter goes by post.
    """
    rows = gate.visible(Paper, who).filter(Q(attestation=None) | Q(is_mailed=True), school=school)
    order = ("attestation", "conversion", "slug", "person")
    last = rows.order_by().values(*order).annotate(last=Max("pk")).values("last")
    rows = rows.filter(Q(attestation=None) | ~Q(attestation__state=State.CANCELLED))
    return rows.filter(pk__in=last).exclude(_is_home())


@lru_cache(maxsize=64)
def title(template: int) -> str:
    """Give the title of a template as it was when something was printed from it."""
    return shelf.template(TemplateVersion.objects.get(pk=template)).manifest.title


def _is_home() -> Exists:
    rows = Return.objects.filter(number=OuterRef("number"), stage__in=HOME, unsigned=[])
    return Exists(rows)


def _kept(school: str) -> set[Any]:
    """Give the marks of the copies that people keep: all but the first of a job."""
    jobs = PrintJob.objects.filter(school=school).order_by()
    return {mark for marks in jobs.values_list("marks", flat=True).distinct() for mark in marks[1:]}
