"""The job ticket: what the print shop must know before the first sheet."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent


def ticket(facts: Mapping[str, object]) -> bytes:
    """Lay out the ticket of a job; `facts` are the names that ticket.html uses."""
    from docgen.rendering import flow  # brings WeasyPrint, that who only prints can do without

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(HERE)
    )
    environment.filters["grouped"] = grouped
    html = environment.get_template("ticket.html").render(facts)
    return flow.written(flow.document(html, [HERE / "ticket.css"], [HERE]))


def grouped(count: int) -> str:
    """Write a count as French usage wants it: thousands apart by a narrow space."""
    return f"{count:,}".replace(",", "\u202f")
