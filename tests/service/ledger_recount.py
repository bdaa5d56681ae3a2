"""The ledger counted again from scratch, row by row, in Python: what the query is compared with.

It shares nothing with the query: attestations are replayed from their sealed records, in the order
of their ranks, as a clerk would with a pile of papers and the register beside it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from docgen.backoffice.ledger import Line, Sheets, Tablets
from docgen.backoffice.models import Attestation, Cession, Delivery, Original, Return, School

Row = dict[str, Any]
Key = tuple[str, str]


def recount(year: str = "") -> dict[str, Line]:
    """Count every school again, whoever asks; by UAI."""
    cessions = _by_school(
        Cession.objects.order_by("pk").values(
            *("school_id", "serial", "ceded_date", "cancelled_at"),
            *("person__internal_id", "person__audience", "person__school_year"),
        )
    )
    papers = _by_school(Attestation.objects.order_by("rank").values())
    states = _states()
    return {
        school: Line(
            school,
            name,
            _tablets(cessions[school], _attested(papers[school]), states, year),
            _sheets([row for row in papers[school] if year in ("", row["school_year"])], states),
        )
        for school, name in School.objects.values_list("pk", "name")
    }


def _by_school(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["school_id"]].append(dict(row))
    return found


def _states() -> dict[int, set[str]]:
    """Tell the steps that each attestation went through."""
    states: dict[int, set[str]] = defaultdict(set)
    for back in Return.objects.select_related("paper"):
        paper = back.paper
        if paper is None or not paper.is_mailed or paper.attestation_id is None:
            continue
        if back.stage == "bound" and not back.unsigned and not back.unseen:
            states[paper.attestation_id].add("returned")
    for each in Delivery.objects.all():
        came_back = each.bounced_at and not (each.sent_at and each.sent_at > each.bounced_at)
        if each.role == "region" and each.stage == "sent" and not each.is_test and not came_back:
            states[each.attestation_id].add("mailed")
    for original in Original.objects.all():
        told = {
            "fetched": original.fetched_at,
            "posted": original.posted_date,
            "received": original.received_at,
        }
        states[original.attestation_id] |= {name for name, at in told.items() if at}
    return states


def _year_of(row: Row) -> str:
    day = row["ceded_date"]
    if day is None:
        return str(row["person__school_year"])
    first = day.year if day.month >= 8 else day.year - 1
    return f"{first}-{first + 1}"


def _attested(papers: list[Row]) -> dict[Key, int]:
    """Replay the attestations of a school: what they list less what they withdraw."""
    on: dict[Key, int] = {}
    for paper in papers:
        for each in paper["record"]["withdrawn"]:
            del on[each["serial"], each["person_id"]]
        for each in paper["record"]["rows"]:
            key = each["serial"], each["person_id"]
            assert key not in on
            on[key] = paper["id"]
    return on


def _sheets(papers: list[Row], states: dict[int, set[str]]) -> Sheets:
    return Sheets(**Counter(step for each in papers for step in ("issued", *states[each["id"]])))


def _tablets(
    cessions: list[Row], on: dict[Key, int], states: dict[int, set[str]], year: str
) -> Tablets:
    last: dict[Key, Row] = {}
    for row in cessions:
        key = row["serial"], row["person__internal_id"]
        if key not in last or last[key]["cancelled_at"] is not None:
            last[key] = row
    count: dict[str, int] = defaultdict(int)
    for key in last.keys() | on.keys():
        row = last[key]
        if year and _year_of(row) != year:
            continue
        is_ceded = row["cancelled_at"] is None
        if is_ceded:
            count[f"{row['person__audience']}s"] += 1
            count["undated"] += row["ceded_date"] is None
        _step(count, states[on[key]] if key in on else None, is_ceded=is_ceded)
    return Tablets(**count)


def _step(count: dict[str, int], steps: set[str] | None, *, is_ceded: bool) -> None:
    """Count a tablet by the steps of its attestation; None without one."""
    if steps is None:
        count["to_attest"] += is_ceded
        count["gap"] += is_ceded
        return
    count["attested"] += 1
    count["to_withdraw"] += not is_ceded
    for step in ("returned", "mailed", "received"):
        count[step] += step in steps
    count["to_return"] += "returned" not in steps
    count["to_mail"] += "returned" in steps and "mailed" not in steps
    count["to_receive"] += "mailed" in steps and "received" not in steps
    count["gap"] += is_ceded and "received" not in steps
