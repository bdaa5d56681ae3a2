"""What a screen loads, and the other ways to look at its list, read from the page itself."""

from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

RARE = "quatrepoint"  # nothing that is searched holds it: all of it is looked through
LAST = "200"
CHOICES = 2  # of each filter


class Read(HTMLParser):
    """The files of a page, the fields of its search with their choices, the sorts of its heads."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.loads: set[str] = set()
        self.fields: dict[str, str] = {}
        self.choices: dict[str, list[str]] = {}
        self.sorts: list[str] = []
        self.is_list = self._is_search = self._is_head = False
        self._select = ""
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a tag tells."""
        facts = {name: value or "" for name, value in attrs}
        file = facts.get("href" if tag == "link" else "src", "")
        if tag in ("link", "script", "img") and file.startswith("/"):
            self.loads.add(file)
        if tag == "form":
            self._is_search = facts.get("role") == "search"
            self.is_list = self.is_list or self._is_search
        if tag == "th":
            self._is_head = True
        if tag == "a" and self._is_head and facts.get("hx-get"):
            self.sorts.append(facts["hx-get"])
        if self._is_search:
            self._take(tag, facts)

    def _take(self, tag: str, facts: dict[str, str]) -> None:
        if tag == "input":
            self.fields[facts.get("name", "")] = facts.get("value", "")
        if tag == "select":
            self._select = facts.get("name", "")
        if tag == "option" and facts.get("value"):
            self.choices.setdefault(self._select, []).append(facts["value"])

    def handle_endtag(self, tag: str) -> None:
        """Leave a search, or the head of a column."""
        self._is_search = self._is_search and tag != "form"
        self._is_head = self._is_head and tag != "th"


def ways(page: Read, where: str) -> list[str]:
    """Give the addresses of a list searched, filtered, sorted, and turned to its last page."""
    if not page.is_list:
        return []
    path = where.partition("?")[0]
    asked = [{**page.fields, "q": RARE}, {**page.fields, "page": LAST}]
    for name, values in page.choices.items():
        asked += [{**page.fields, name: value} for value in values[:CHOICES]]
    sorts = [urljoin(where, each) for each in page.sorts]
    return [f"{path}?{urlencode(each)}" for each in asked] + sorts
