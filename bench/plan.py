"""What a run measures: which ways, how many documents, how many times."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts of documents for each way; `seconds` bounds the run, which then tells what it has."""

    docgen: int = 4_000
    weasyprint: int = 8
    typst: tuple[int, ...] = (50, 200)
    acroform: int = 10
    towns: tuple[int, ...] = (1_000, 6_000)
    largest: int = 60_000
    rounds: int = 3
    seconds: float = 330.0


@dataclass(frozen=True, slots=True)
class Way:
    """One row: what it is called, its name in `bench.child`, and how many documents."""

    title: str
    name: str
    count: int


FULL = Plan()
QUICK = Plan(1_000, 3, (20,), 4, (1_000,), 6_000, 1, 90.0)
FIRST = Way("another school, its first class", "first", 30)


def peers(plan: Plan) -> list[Way]:
    """List the ways compared, ours first."""
    return [
        Way("docgen, two codes a side", "docgen", plan.docgen),
        Way("WeasyPrint, document by document", "weasyprint", plan.weasyprint),
        *(Way(f"Typst, one compile for {count}", "typst", count) for count in plan.typst),
        Way("pypdf, form by form", "acroform", plan.acroform),
    ]


def repeated(plan: Plan) -> list[Way]:
    """List what is measured in each round."""
    towns = [town(count) for count in plan.towns]
    return [*peers(plan), *towns, FIRST]


def town(count: int) -> Way:
    """Give the way that presses for a whole town."""
    return Way(f"{count:,} documents", "town", count)
