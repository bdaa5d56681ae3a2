"""What commands say: sentences for people, JSON for machines."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from docgen.errors import DocgenError

MEGABYTE = 10**6


def fail(error: DocgenError, *, as_json: bool) -> int:
    """Say all the problems of an error and give the exit code."""
    if as_json:
        problems = [
            {"where": each.where, "what": each.what, "remedy": each.remedy}
            for each in error.problems
        ]
        say_json({"error": error.code, "problems": problems})
        return error.exit_code
    count = len(error.problems)
    warn(f"Rien n’a été fait : {count} problèmes." if count > 1 else "Rien n’a été fait.")
    for problem in error.problems:
        warn(f"  • {problem}")
    return error.exit_code


def say_json(value: object) -> None:
    """Print one JSON document."""
    print(as_text(value), end="")  # noqa: T201


def as_text(value: object) -> str:
    """Write a JSON document for people and machines."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def say(text: str = "") -> None:
    """Print a line for a person."""
    print(text)  # noqa: T201


def warn(text: str) -> None:
    """Print a line beside the result."""
    print(text, file=sys.stderr)  # noqa: T201


def remark(notices: Iterable[str]) -> None:
    """Print what was corrected or set aside on the way."""
    for notice in notices:
        warn(f"Remarque : {notice}")


def say_rest(shown: int, count: int) -> None:
    """Say that a list stops before its end, and how to have it all."""
    if count > shown:
        say(f"… {shown} sur {count}\u00a0: --limit {count} les montre tous.")


def size(count: int) -> str:
    """Write a size in bytes as people read it: « 12 ko », « 3,4 Mo »."""
    if count < MEGABYTE:
        return f"{max(1, round(count / 1000))}\u00a0ko"
    return f"{count / MEGABYTE:.1f}\u00a0Mo".replace(".", ",")


def day(on: str) -> str:
    """Write a day (ISO 8601) as people do: « 05/10/2026 »."""
    return f"{date.fromisoformat(on):%d/%m/%Y}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: drawn on a terminal, plain columns elsewhere."""
    lines = [headings, *rows]
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
            say("  ".join(padded).rstrip())
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        drawn.add_column(Text(heading))
    for line in lines[1:]:
        drawn.add_row(*map(Text, line))  # as text: brackets are not markup
    Console().print(drawn)


@contextmanager
def progress(title: str, total: int, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Show how far long work is, on a terminal; give the function that says how much is done."""
    if quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
