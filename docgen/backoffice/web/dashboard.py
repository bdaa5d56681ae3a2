"""The back office at a glance: what runs, what waits, what is late."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, Q, QuerySet, Sum, Value
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from docgen.backoffice import beats, ledger, mails, reminders, reviews
from docgen.backoffice.models import (
    Attestation,
    Delivery,
    Mail,
    Posting,
    PrintJob,
    Reminder,
    Return,
    School,
    State,
)
from docgen.backoffice.web.frame import BACK_OFFICE, Asked, page, screen, seen
from docgen.errors import InvalidInput

Stage = PrintJob.Stage
WEEKS = 12
RUNNING, SCHOOLS, RECENT = 10, 8, 8  # rows shown of each
WRONG = (Stage.FAILED, Stage.REOPENED)
NOT_BACK, NOT_HERE = Q(is_back=False), Q(is_mailed=True, is_here=False)
STUCK = (Posting.HELD, Posting.REFUSED, Posting.UNCERTAIN)
# The chart, in its own units: drawn at about these pixels on a telephone.
WIDTH, HEIGHT, TOP, FOOT, GAP = 420, 190, 20, 22, 8


@dataclass(frozen=True, slots=True)
class Tile:
    """A count of what waits for somebody, and where to see to it; `words` hold {s} for plurals."""

    count: int
    words: str
    address: str
    detail: str = ""

    @property
    def label(self) -> str:
        """Say what is counted, of one or of many."""
        return self.words.format(s="s" if self.count > 1 else "")


@dataclass(frozen=True, slots=True)
class Bar:
    """What came back in a week: the bar's place in the chart, and what it says."""

    monday: date
    count: int
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The middle of the bar, under which its day stands."""
        return self.x + self.width / 2

    @property
    def above(self) -> float:
        """Where its count stands."""
        return self.y - 5


@require_safe
@screen(BACK_OFFICE)
def dashboard(request: Asked) -> HttpResponse:
    """Show what runs, what waits for somebody, what is late, and what came back."""
    late = _late(request)
    running = _running(request)
    weeks = _weeks(request)
    facts = {
        "running": running,
        "is_running": bool(running),
        "tiles": [*_to_do(request), *_awaited(request, late)],
        "workers": beats.workers(),
        "bars": _bars(weeks),
        "is_any_back": any(count for _, count in weeks),
        "chart": {"width": WIDTH, "height": HEIGHT, "base": HEIGHT - FOOT},
        "late_schools": _late_schools(late),
        "reminders": _reminders(request),
        "is_new": not seen(School, request).exists(),
    }
    return page(request, "web/dashboard/dashboard.html", facts)


def _running(request: Asked) -> Sequence[PrintJob]:
    """Give the jobs that are being printed, the newest first, with what is done of each."""
    jobs = seen(PrintJob, request).filter(stage=Stage.ACCEPTED).select_related("school")
    printed = Q(volumes__state__in=(State.CLAIMED, State.DONE))
    done = Sum("volumes__done", filter=printed, default=0)
    return list(jobs.annotate(done=done).order_by("-created_at", "-pk")[:RUNNING])


def _to_do(request: Asked) -> Iterator[Tile]:
    """Count what waits for the back office itself."""
    stages = dict(_counted(seen(PrintJob, request), "stage", (Stage.READY, *WRONG)))
    stuck = dict(_counted(seen(Delivery, request), "stage", STUCK))
    sides = reviews.queue(request.who).count()
    yield Tile(sides, "Page{s} numérisée{s} à relire", reverse("reviews"))
    label = "Lot{s} refusé{s} ou à vérifier"
    yield _staged(label, f"{reverse('jobs')}?etape=", WRONG, stages)
    ready = stages.get(Stage.READY, 0)
    where = f"{reverse('jobs')}?etape={Stage.READY.value}"
    yield Tile(ready, "Lot{s} prêt{s}, à remettre à un imprimeur", where)
    label = "Envoi{s} à la Région à débloquer"
    yield _staged(label, f"{reverse('deliveries')}?etat=", STUCK, stuck)
    aside = seen(Mail, request).filter(mails.AWAITING).count()
    yield Tile(aside, "Courriel{s} mis de côté", reverse("mails"))


def _staged(
    label: str, where: str, wanted: Sequence[Stage | Posting], counts: Mapping[str, int]
) -> Tile:
    """Count several stages as one, told apart beneath; it leads to the first that there is."""
    found = [each for each in wanted if each in counts]
    told = ", ".join(f"{counts[each]} {each.label}" for each in found)
    first = found[0] if found else wanted[0]
    return Tile(sum(counts[each] for each in found), label, f"{where}{first.value}", told)


def _counted(
    rows: QuerySet[PrintJob] | QuerySet[Delivery], column: str, values: Sequence[str]
) -> Iterator[tuple[str, int]]:
    found = rows.filter(**{f"{column}__in": values}).order_by()
    yield from found.values_list(column).annotate(count=Count("pk"))


def _late(request: Asked) -> QuerySet[Attestation]:
    """Give the attestations that somebody still waits for, told apart by what is missing."""
    rows = seen(Attestation, request).filter(state=State.DONE)
    is_mailed = Exists(ledger.sendings())
    rows = rows.annotate(
        is_back=ledger.is_returned(),
        is_mailed=is_mailed,
        is_here=Q(original__received_at__isnull=False),
    )
    return rows.filter(NOT_BACK | NOT_HERE)


def _awaited(request: Asked, late: QuerySet[Attestation]) -> Iterator[Tile]:
    """Count the attestations that schools, or the post, still have to bring."""
    days = _grace()
    since = timezone.now() - timedelta(days=days)
    old = Q(finished_at__lt=since) if days else Q(pk=None)
    counts = late.order_by().aggregate(
        not_back=Count("pk", filter=NOT_BACK),
        old=Count("pk", filter=NOT_BACK & old),
        not_here=Count("pk", filter=NOT_HERE),
    )
    told = f"dont {counts['old']} depuis plus de {days} jours" if counts["old"] else ""
    yield Tile(counts["not_back"], "Attestation{s} non revenue{s} signée{s}", reverse("gap"), told)
    here = counts["not_here"]
    label = f"{'Originaux' if here > 1 else 'Original'} à recevoir par la Région"
    yield Tile(here, label, reverse("originals"))


def _grace() -> int:
    """Give the days after which a school is reminded; 0 when the settings do not hold together."""
    try:
        return reminders.read_rules(settings.DATA).not_returned
    except InvalidInput:  # the daily chore fails with the whole sentence: `docgen doctor` shows it
        return 0


def _late_schools(late: QuerySet[Attestation]) -> Sequence[Mapping[str, Any]]:
    """Give the schools that most is awaited from."""
    rows = late.order_by().values("school_id", "school__name", "school__city")
    counted = rows.annotate(
        not_back=Count("pk", filter=NOT_BACK), not_here=Count("pk", filter=NOT_HERE)
    )
    ordered = counted.annotate(late=F("not_back") + F("not_here")).order_by("-late", "school_id")
    return list(ordered[:SCHOOLS])


def _weeks(request: Asked) -> list[tuple[date, int]]:
    """Count the signed documents that were bound, week by week: one range of the index each."""
    today = timezone.localdate()
    last = today - timedelta(days=today.weekday())
    mondays = [last - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    parts = [
        seen(Return, request)
        .filter(bound_at__gte=_moment(day), bound_at__lt=_moment(day + timedelta(weeks=1)))
        .order_by()
        .annotate(week=Value(number))
        .values("week")
        .annotate(count=Count("*"))  # of the index alone: a key would be read in each row
        .values_list("week", "count")
        for number, day in enumerate(mondays)
    ]
    counts = dict(parts[0].union(*parts[1:], all=True))
    return [(day, counts.get(number, 0)) for number, day in enumerate(mondays)]


def _moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _bars(weeks: Sequence[tuple[date, int]]) -> list[Bar]:
    most = max((count for _, count in weeks), default=0) or 1
    room, step = HEIGHT - TOP - FOOT, WIDTH / len(weeks)
    bars = []
    for number, (day, count) in enumerate(weeks):
        height = round(room * count / most, 1)
        x = round(number * step + GAP / 2, 1)
        bars.append(Bar(day, count, x, HEIGHT - FOOT - height, round(step - GAP, 1), height))
    return bars


def _reminders(request: Asked) -> Sequence[Reminder]:
    """Give the last things that schools were reminded of."""
    rows = seen(Reminder, request).select_related("school", "attestation")
    return list(rows.order_by("-pk")[:RECENT])


urls: list[URLPattern] = [
    path("tableau/", dashboard, name="dashboard"),
]
