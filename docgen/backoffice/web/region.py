"""What the region sees first: what came lately, what is awaited, and how far each place is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from docgen import attestations as rules
from docgen.backoffice import arrivals, ledger
from docgen.backoffice.ledger import Line
from docgen.backoffice.models import Attestation, Original, Reminder
from docgen.backoffice.web import departments
from docgen.backoffice.web.frame import BACK_OFFICE, REGION, Asked, page, screen, seen

WEEKS = 12
SHOWN = 5  # of a short list
WIDTH, HEIGHT, LEFT, FOOT = 480, 170, 4, 24  # of the chart, in its own units


@dataclass(frozen=True, slots=True)
class Bar:
    """A week of the chart: its Monday, its count, and where its bar stands."""

    monday: date
    count: int
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """Where the bar's label is centred."""
        return self.x + self.width // 2

    @property
    def above(self) -> int:
        """Where its count is written."""
        return self.y - 6


@dataclass(frozen=True, slots=True)
class Place:
    """A département: its schools, and those whose tablets are not all attested on paper."""

    code: str
    name: str
    schools: int
    behind: int
    ceded: int
    received: int
    gap: int

    @property
    def share(self) -> int:
        """How much of what was ceded the region holds the original for, in hundredths."""
        return 100 * (self.ceded - self.gap) // self.ceded if self.ceded else 0


@require_safe
@screen(BACK_OFFICE, REGION)
def overview(request: Asked) -> HttpResponseBase:
    """Show what came lately, what is awaited, and the gap, place by place."""
    now = timezone.now()
    week = arrivals.week_of(now)
    month = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = seen(Attestation, request)
    # At noon of its Monday: an hour of summer time leads to no other week.
    since = arrivals.week_of(week - timedelta(weeks=WEEKS - 1) + timedelta(hours=12))
    year = rules.school_year(timezone.localdate(now))
    lines = ledger.lines(request.who)
    behind = sorted((each for each in lines if each.tablets.gap), key=_most_first)
    awaited = arrivals.awaited(rows)
    facts = {
        "this_week": arrivals.arrived(rows).filter(arrived_at__gte=week).count(),
        "this_month": arrivals.arrived(rows).filter(arrived_at__gte=month).count(),
        "month": month,
        "year": year,
        "bars": bars(arrivals.by_week(rows, since), since),
        "awaited_count": awaited.count(),
        "awaited": awaited.order_by("mailed_at", "pk")[:SHOWN],
        "last": arrivals.arrived(rows).order_by("-arrived_at", "-pk")[:SHOWN],
        "originals_today": seen(Original, request).filter(received_at__gte=_today(now)).count(),
        "behind": behind[:SHOWN],
        "behind_count": len(behind),
        "total": ledger.total(lines),
        "places": places(lines),
        "reminders": seen(Reminder, request).count(),
        "chart": {"width": WIDTH, "height": HEIGHT, "base": HEIGHT - FOOT},
    }
    return page(request, "web/region/overview.html", facts)


def bars(counts: dict[datetime, int], since: datetime) -> list[Bar]:
    """Lay out a bar a week, empty weeks too, the tallest as high as the chart allows."""
    by_day = {timezone.localdate(week): count for week, count in counts.items()}
    days = [timezone.localdate(since) + timedelta(weeks=index) for index in range(WEEKS)]
    most = max((by_day.get(day, 0) for day in days), default=0) or 1
    step, room = (WIDTH - 2 * LEFT) / WEEKS, HEIGHT - FOOT - 24
    made = []
    for index, day in enumerate(days):
        count = by_day.get(day, 0)
        height = round(room * count / most)
        x = round(LEFT + index * step + step * 0.15)
        made.append(Bar(day, count, x, HEIGHT - FOOT - height, round(step * 0.7), height))
    return made


def places(lines: list[Line]) -> list[Place]:
    """Add up what the ledger says of schools, département by département."""
    by_code: dict[str, list[Line]] = {}
    for line in lines:
        by_code.setdefault(departments.code_of(line.school), []).append(line)
    made = []
    for code, of in sorted(by_code.items()):
        total = ledger.total(of).tablets
        behind = sum(1 for line in of if line.tablets.gap)
        counts = total.ceded, total.received, total.gap
        made.append(Place(code, departments.name(code), len(of), behind, *counts))
    return made


def _most_first(line: Line) -> tuple[int, str]:
    return -line.tablets.gap, line.school


def _today(now: datetime) -> datetime:
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


urls: list[URLPattern] = [path("region/", overview, name="region")]
