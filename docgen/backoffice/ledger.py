"""The ledger: per school, what was ceded, attested, returned, mailed and received, and the gap.

One query over the rows themselves: nothing is kept counted, so nothing is counted twice. A cession
is a serial number and a person; it counts in the school year of its day. Without a day, it counts
in the year that the person is enrolled in; without either, in the ledger of all years alone. What
was attested and then taken off the register keeps the day that it had there last.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date
from io import StringIO
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from docgen import attestations as rules
from docgen.backoffice import gate, models
from docgen.backoffice.gate import Actor
from docgen.errors import InvalidInput, Problem
from docgen.jobfolder import cell

Rows = QuerySet[Any]
YEARS = range(2000, 2100)
# What the gate lets somebody see, table by table; the text of the query only joins and counts.
PARTS = """
WITH seen (school, name) AS ({}),
register (school, serial, person, audience, day, is_in_year) AS ({}),
attested (school, serial, person, attestation) AS ({}),
cancelled (id, school, serial, person, is_in_year) AS ({}),
stands (id, school, is_in_year, is_fetched, is_returned, is_mailed, is_posted, is_received) AS ({}),
"""
# The register and what is attested are joined once, and counted before anything else is looked at:
# sixty thousand lines become some thousands. What is attested and not ceded is gone.
JOINED = """
FROM register r FULL JOIN attested a
ON a.school = r.school AND a.serial = r.serial AND a.person = r.person
"""
EVERY = f"""
tablets (school, is_ceded, audience, is_undated, attestation, n) AS (
    SELECT COALESCE(r.school, a.school), CASE WHEN r.school IS NULL THEN 0 ELSE 1 END, r.audience,
        CASE WHEN r.school IS NOT NULL AND r.day IS NULL THEN 1 ELSE 0 END, a.attestation, COUNT(*)
    {JOINED} GROUP BY 1, 2, 3, 4, 5
),
"""
# The day that a cession had before it was gone is that of its last one.
OF_YEAR = f"""
kept AS (
    SELECT r.school AS register, r.audience, r.day, r.is_in_year, a.* {JOINED}
),
gone AS (
    SELECT k.school, k.attestation, MAX(c.id) AS last FROM kept k JOIN cancelled c
    ON c.school = k.school AND c.serial = k.serial AND c.person = k.person
    WHERE k.register IS NULL GROUP BY k.school, k.attestation, k.serial, k.person
),
tablets (school, is_ceded, audience, is_undated, attestation, n) AS (
    SELECT register, 1, audience, CASE WHEN day IS NULL THEN 1 ELSE 0 END, attestation, COUNT(*)
    FROM kept WHERE is_in_year GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT school, 0, '', 0, attestation, 1 FROM gone
    WHERE last IN (SELECT id FROM cancelled WHERE is_in_year)
),
"""  # noqa: S608 - text of ours alone
COUNTS = """
counted AS (
    SELECT t.school,
        SUM(CASE WHEN audience = 'pupil' THEN n ELSE 0 END) AS pupils,
        SUM(CASE WHEN audience = 'teacher' THEN n ELSE 0 END) AS teachers,
        SUM(is_undated * n) AS undated,
        SUM(CASE WHEN s.id IS NOT NULL THEN n ELSE 0 END) AS attested,
        SUM(CASE WHEN is_returned THEN n ELSE 0 END) AS returned,
        SUM(CASE WHEN is_mailed THEN n ELSE 0 END) AS mailed,
        SUM(CASE WHEN is_received THEN n ELSE 0 END) AS received,
        SUM(CASE WHEN s.id IS NULL THEN n ELSE 0 END) AS to_attest,
        SUM((1 - is_ceded) * n) AS to_withdraw,
        SUM(CASE WHEN s.id IS NOT NULL AND NOT is_returned THEN n ELSE 0 END) AS to_return,
        SUM(CASE WHEN is_returned AND NOT is_mailed THEN n ELSE 0 END) AS to_mail,
        SUM(CASE WHEN is_mailed AND NOT is_received THEN n ELSE 0 END) AS to_receive,
        SUM(CASE WHEN is_ceded = 0 OR is_received THEN 0 ELSE n END) AS gap
    FROM tablets t LEFT JOIN stands s ON s.id = t.attestation GROUP BY t.school
),
issued AS (
    SELECT school, COUNT(*) AS issued,
        SUM(CASE WHEN is_fetched THEN 1 ELSE 0 END) AS fetched,
        SUM(CASE WHEN is_returned THEN 1 ELSE 0 END) AS returned,
        SUM(CASE WHEN is_mailed THEN 1 ELSE 0 END) AS mailed,
        SUM(CASE WHEN is_posted THEN 1 ELSE 0 END) AS posted,
        SUM(CASE WHEN is_received THEN 1 ELSE 0 END) AS received
    FROM stands WHERE is_in_year GROUP BY school
)
SELECT seen.school, seen.name, pupils, teachers, undated, attested, c.returned, c.mailed,
    c.received, to_attest, to_withdraw, to_return, to_mail, to_receive, gap,
    issued, fetched, i.returned, i.mailed, posted, i.received
FROM seen LEFT JOIN counted c ON c.school = seen.school LEFT JOIN issued i ON i.school = seen.school
ORDER BY seen.school
"""


@dataclass(frozen=True, slots=True)
class Tablets:
    """Tablets by how far they are; `to_…` are those that stand before a step, `gap` before the end.

    `undated` ones are ceded and can be on no attestation yet; `to_withdraw` were attested and are
    ceded no more; `gap` are ceded, and the region does not hold the original that attests them.
    """

    pupils: int = 0
    teachers: int = 0
    undated: int = 0
    attested: int = 0
    returned: int = 0
    mailed: int = 0
    received: int = 0
    to_attest: int = 0
    to_withdraw: int = 0
    to_return: int = 0
    to_mail: int = 0
    to_receive: int = 0
    gap: int = 0

    @property
    def ceded(self) -> int:
        """The tablets of the register, whomever they were given to."""
        return self.pupils + self.teachers


@dataclass(frozen=True, slots=True)
class Sheets:
    """Attestations by the steps that they went through, whatever their order."""

    issued: int = 0
    fetched: int = 0
    returned: int = 0
    mailed: int = 0
    posted: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """What the ledger says of a school; of all of them when `school` is ""."""

    school: str
    name: str
    tablets: Tablets
    sheets: Sheets

    def facts(self) -> dict[str, Any]:
        """Tell the line in plain values, for JSON."""
        tablets = {"ceded": self.tablets.ceded, **asdict(self.tablets)}
        told = {"school": self.school, "name": self.name}
        return {**told, "tablets": tablets, "attestations": asdict(self.sheets)}


def lines(who: Actor, *, school: str = "", year: str = "") -> list[Line]:
    """Give a line for each school that somebody sees, in the order of their UAI.

    `year` ("2026-2027") keeps the cessions and the attestations of a school year.

    Raises:
        InvalidInput: for what is no school year.
    """
    rows = list(_parts(who, school, year))
    try:
        told = [each.query.sql_with_params() for each in rows]
    except EmptyResultSet:  # who sees no school at all
        return []
    with connection.cursor() as cursor:
        parts = PARTS.format(*(sql for sql, _ in told))
        text = parts + (OF_YEAR if year else EVERY) + COUNTS
        cursor.execute(text, [value for _, values in told for value in values])
        return [_line(row) for row in cursor.fetchall()]


def total(of: Iterable[Line]) -> Line:
    """Add lines up."""
    tablets, sheets = Tablets(), Sheets()
    for line in of:
        tablets, sheets = _sum(tablets, line.tablets), _sum(sheets, line.sheets)
    return Line("", "Total", tablets, sheets)


def as_csv(of: Iterable[Line]) -> str:
    """Write lines for a spreadsheet; nothing in it can be taken for a formula."""
    stream = StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    columns = [f.name for f in fields(Tablets)], [f.name for f in fields(Sheets)]
    rows.writerow(["uai", "name", "ceded", *columns[0], *(f"sheets_{name}" for name in columns[1])])
    for line in of:
        counts = (getattr(line.tablets, name) for name in ("ceded", *columns[0]))
        steps = (getattr(line.sheets, name) for name in columns[1])
        rows.writerow([line.school, cell(line.name), *counts, *steps])
    return stream.getvalue()


def is_returned() -> Exists:
    """Tell whether an attestation came home, bound and signed."""
    backs = models.Return.objects.filter(
        paper__attestation=OuterRef("pk"), paper__is_mailed=True, unsigned=[], unseen=[]
    )
    return Exists(backs.filter(stage=models.Return.Stage.BOUND))


def sendings() -> QuerySet[models.Delivery]:
    """Give the deliveries of an attestation that the region has; what came back, it has not."""
    rows = models.Delivery.objects.filter(attestation=OuterRef("pk"), is_test=False)
    came_back = Q(bounced_at__isnull=False) & (Q(sent_at=None) | Q(bounced_at__gte=F("sent_at")))
    sent = rows.filter(role=models.Delivery.Role.REGION, stage=models.Posting.SENT)
    return sent.exclude(came_back)


def unattested(rows: QuerySet[models.Cession]) -> QuerySet[models.Cession]:
    """Keep the cessions that no attestation holds."""
    held = models.AttestedCession.objects.filter(
        school=OuterRef("school"),
        serial=OuterRef("serial"),
        person=OuterRef("person__internal_id"),
        withdrawn_by=None,
    )
    return rows.filter(~Exists(held))


def gone(attested: QuerySet[models.AttestedCession]) -> QuerySet[models.AttestedCession]:
    """Keep the cessions that are attested and no longer in the register."""
    same = models.Cession.objects.filter(
        school=OuterRef("school"), serial=OuterRef("serial"), person__internal_id=OuterRef("person")
    )
    return attested.filter(~Exists(same.filter(cancelled_at=None)))


def _parts(who: Actor, school: str, year: str) -> Iterator[Rows]:
    """Give what is counted, in the order of `PARTS`."""
    is_any = ~Q(pk=None)
    in_year, is_in_year = of_year(year) or is_any, Q(school_year=year) if year else is_any
    one = Q(school=school) if school else Q()
    seen = gate.visible(models.School, who).order_by()
    yield (seen.filter(pk=school) if school else seen).values_list("pk", "name")
    cessions = gate.visible(models.Cession, who).filter(one)
    key = ("school_id", "serial", "person__internal_id")
    columns: list[Any] = [*key, "person__audience", "ceded_date", in_year]
    yield cessions.filter(cancelled_at=None).values_list(*columns)
    attested = gate.visible(models.AttestedCession, who).filter(one, withdrawn_by=None)
    yield attested.values_list("school_id", "serial", "person", "attestation_id")
    cancelled = cessions.filter(cancelled_at__isnull=False)
    columns = ["pk", *key, in_year]
    yield cancelled.values_list(*columns)
    stands = gate.visible(models.Attestation, who).filter(one)
    steps: list[Any] = [
        *("pk", "school_id", is_in_year, Q(original__fetched_at__isnull=False)),
        *(is_returned(), Exists(sendings()), Q(original__posted_date__isnull=False)),
        Q(original__received_at__isnull=False),
    ]
    yield stands.values_list(*steps)


def of_year(year: str) -> Q:
    """Tell the cessions of a school year, which opens with the month that attestations say."""
    if not year:
        return Q()
    first, _, second = year.partition("-")
    is_year = len(first) == 4 and year.isascii() and first.isdigit() and int(first) in YEARS
    if not is_year or second != str(int(first) + 1):
        what = "ce n’est pas une année scolaire."
        raise InvalidInput(Problem(what, "year", "Écrivez-la comme 2026-2027."))
    opens, closes = (date(int(each), rules.FIRST_MONTH, 1) for each in (first, second))
    dated = Q(ceded_date__gte=opens, ceded_date__lt=closes)
    return dated | Q(ceded_date=None, person__school_year=year)


def _line(row: tuple[Any, ...]) -> Line:
    school, name, *counts = row
    numbers = [int(count or 0) for count in counts]
    split = len(fields(Tablets))
    return Line(school, name, Tablets(*numbers[:split]), Sheets(*numbers[split:]))


def _sum(one: Any, other: Any) -> Any:  # noqa: ANN401 - two of a kind, whichever
    return type(one)(*(getattr(one, f.name) + getattr(other, f.name) for f in fields(one)))
