"""The measure of the screens reads what a page loads, and every way to look at its list."""

from bench.web_page import RARE, Read, ways

PAGE = """
<html><head><link rel="stylesheet" href="/assets/a.css"><link href="https://else.where/b.css">
<script src="/assets/c.js"></script></head><body>
<form method="post"><input name="csrf" value="x"><select name="other"><option value="1"></select>
</form>
<form role="search"><input name="q" value=""><select name="etat"><option value="">Tous</option>
<option value="pret">Prêt</option><option value="fini">Fini</option><option value="zut">Zut</option>
</select></form>
<table><tr><th><a hx-get="?tri=nom" href="?tri=nom">Nom</a></th></tr>
<tr><td><a hx-get="/lots/9/" href="/lots/9/">neuf</a><img src="/lots/9.png"></td></tr></table>
</body></html>
"""


def test_a_page_tells_what_it_loads_from_us() -> None:
    assert Read(PAGE.encode()).loads == {"/assets/a.css", "/assets/c.js", "/lots/9.png"}


def test_a_list_is_searched_turned_filtered_and_sorted() -> None:
    assert ways(Read(PAGE.encode()), "/lots/?q=a") == [
        f"/lots/?q={RARE}",
        "/lots/?q=&page=200",
        "/lots/?q=&etat=pret",
        "/lots/?q=&etat=fini",
        "/lots/?tri=nom",
    ]


def test_a_page_without_a_list_has_one_way() -> None:
    assert ways(Read(b"<form method=post><input name=q></form>"), "/lots/") == []
