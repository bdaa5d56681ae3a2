"""The bench: every row is measured, the peers print our words, and its sums are right."""

import json
import re
import sys
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest
from weasyprint import HTML

from bench import __main__ as command
from bench import attested, report, shared, typst_peer, word
from bench.clock import NotMeasured, Sample
from bench.plan import FIRST, Plan, Way, peers, repeated, town
from bench.running import Measures, measure, run
from docgen.rendering import flow

TINY = Plan(20, 1, (2,), 1, (10,), 30, 1, 240.0)


def sample(documents: int, processor: float, memory: float = 100.0, **facts: float) -> Sample:
    return Sample(documents, documents * 5, documents * 2500, processor, processor, memory, facts)


def filled(**processor: float) -> Measures:
    """Give the measures of a plan whose ways took so long for as many documents."""
    measures = Measures(Plan(typst=(50, 200)))
    for way in [*peers(measures.plan), FIRST]:
        took = processor.get(way.title, processor.get(way.name, 1.0))
        measures.samples[way] = [sample(way.count, took, first=0.1, since_start=0.4)]
    for count in (1_000, 6_000, 60_000):
        measures.samples[town(count)] = [sample(count, count / 2000, 100 + count / 6000)]
    return measures


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W\d_]{2,}", text))


@pytest.mark.slow
def test_a_short_run_yields_every_row() -> None:
    told: list[str] = []
    measures = run(TINY, told.append)
    assert measures.reasons == {}
    assert set(measures.samples) == {*repeated(TINY), town(TINY.largest)}
    for way, found in measures.samples.items():
        assert [each.documents for each in found] == [way.count]
        assert all(each.sides == 5 * each.documents for each in found if way.name != "typst")
        assert all(each.bytes and each.seconds and each.memory > 20 for each in found)
    assert [each.verdict for each in report.targets(measures)].count("not measured") == 0
    assert len(report.as_json(measures)["ways"]) == len(measures.samples)
    assert len(told) == len(measures.samples) + 1


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["mineur", "majeur"])
def test_typst_prints_every_word_of_the_body(tmp_path: Path, variant: str) -> None:
    pytest.importorskip("typst")
    shared.copy_templates(tmp_path)
    template, layout = shared.charter(tmp_path)
    typst_peer.make(tmp_path, template, layout)
    values = {field.name: field.sample for field in template.manifest.fields}
    shared.keep(tmp_path, [{"variant": variant, "values": values}])
    printed = typst_peer.compiled(tmp_path, {"people": shared.PEOPLE, "hyphenate": "no"})
    pages = pypdfium2.PdfDocument(printed)
    found = words(" ".join(page.get_textpage().get_text_range() for page in pages))
    pen = flow.ValuePen(values, lambda *given: (1.0, [given[-1]]))
    chosen = next(each for each in template.manifest.variants if each.name == variant)
    body = HTML(string=flow.body_html(template, layout, chosen, pen)).etree_element.find("body")
    wanted = words(" ".join(body.itertext()))
    assert wanted.total() > 1000
    assert wanted - found == Counter()


def test_ours_is_so_many_times_the_others() -> None:
    measures = filled(docgen=2.0, weasyprint=4.0, typst=2.5)
    ours, weasyprint, typst, more_typst, _ = (measures.median(way) for way in peers(measures.plan))
    assert report.times(ours, weasyprint) == pytest.approx(2000 / 2)
    assert report.times(ours, typst) == pytest.approx(2000 / 20)
    assert report.times(ours, more_typst) == pytest.approx(2000 / 80)
    assert report.times(ours, None) is None
    found = {each.what: each for each in report.targets(measures)}
    best = found["documents/s over Typst’s best"]
    assert (best.measured, best.verdict) == (pytest.approx(25), "falls short")
    assert found["documents/s over WeasyPrint’s"].verdict == "met"
    assert found["60,000 documents over 6,000: time"].measured == pytest.approx(10)
    assert found["60,000 documents over 6,000: memory"].measured == pytest.approx(110 / 101)
    assert found["bytes a side"].measured == pytest.approx(500)


def test_the_sample_in_the_middle_is_told() -> None:
    way = Way("", "docgen", 10)
    measures = Measures(Plan(), samples={way: [sample(10, took) for took in (3.0, 1.0, 2.0)]})
    assert measures.median(way) == sample(10, 2.0)


def test_what_was_not_measured_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    measures = filled()
    weasyprint = peers(measures.plan)[1]
    del measures.samples[weasyprint]
    measures.reasons[weasyprint] = "no time left"
    report.say(measures)
    said = capsys.readouterr().out
    assert f"{weasyprint.title}: not measured, no time left." in said
    assert "not measured" in next(line for line in said.splitlines() if "WeasyPrint’s" in line)


def test_a_run_is_told_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "run", lambda plan, tell: filled(weasyprint=4.0, typst=4.0))
    compare = word.compare  # documents for real, but few: what they take is not what is tested
    monkeypatch.setattr(word, "compare", lambda *_: compare(3, 1))
    monkeypatch.setattr(attested, "SIZES", (5,))
    monkeypatch.setattr(sys, "argv", ["bench", "--quick", "--json"])
    assert command.main() == 0
    told = json.loads(capsys.readouterr().out)
    assert told["word"]["documents"] == 3
    assert [each["cessions"] for each in told["attestations"]] == [5]
    assert [each["ours_is_times"] for each in told["ways"] if each["name"] == "weasyprint"] == [
        pytest.approx(2000)
    ]
    assert {each["verdict"] for each in told["targets"]} == {"met"}


def test_without_typst_the_bench_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(NotMeasured, match="make setup"):
        typst_peer.press(tmp_path, 1)


def test_a_measure_that_lasts_is_ended(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="ended after"):
        measure("town", tmp_path, {"count": 100_000}, 0.2)


def test_a_measure_that_fails_gives_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="FileNotFoundError"):
        measure("acroform", tmp_path, {"count": 1}, 60)
