"""Published rows below a table."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from test_report_files import GOLDEN
from test_report_table import LAYOUT, filled

from harness.spec import METRICS, BadInput
from reports import Table, build_table, collect, literature
from reports.literature import published_rows
from reports.render import to_csv, to_latex, to_markdown

SMALL = """dataset,split_protocol,method,modalities,metric,value,source,verified
CMU-MOSI,split 1284/229/686,Old & Co,T+A+V,mae,0.9488,table of a_package,yes
CMU-MOSI,split 1284/229/686,Old & Co,T+A+V,acc2_non0,0.7848,table of a_package,yes
CMU-MOSI,as cited,New,T(BERT)+A+V,mae,0.705,doi 1,no
CMU-MOSI,as cited,New,T(BERT)+A+V,corr,0.799,doi 1,yes
CMU-MOSI,as cited,Other,T,acc5,0.5,doi 2,yes
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    (tmp_path / "small.csv").write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr(literature, "FOLDER", tmp_path)
    study = filled({"plain": 1.0})
    study.asks["published"] = ("small",)
    return build_table(collect(study.store(), "small"), LAYOUT)


@pytest.mark.parametrize(
    ("name", "write"),
    [("published.md", to_markdown), ("published.tex", to_latex), ("published.csv", to_csv)],
)
def test_they_are_written_as_they_were_read_and_approved(name, write, table):
    assert write(table) == (GOLDEN / name).read_text(encoding="utf-8")


def test_every_row_is_marked_and_so_is_every_number_that_was_not_checked(table):
    rows = [line for line in to_markdown(table).splitlines() if "CMU-MOSI" in line and "|" in line]
    assert len(rows) == 2
    assert all("other data split and features: not comparable" in row for row in rows)
    assert "0.705 †" in rows[1]
    assert "0.799 †" not in rows[1]


def test_the_csv_says_which_rows_are_published_and_keeps_counts_whole(table):
    found = pd.read_csv(io.StringIO(to_csv(table)), dtype=str).set_index("arm")
    assert found["published"].to_dict() == {"plain": "False", "Old & Co": "True", "New": "True"}
    assert found.loc["plain", "planned"] == "2"
    assert found.loc["Old & Co", "mae_mean"] == "0.9488"
    assert found.loc["New", "unverified"] == "mae"


def test_published_rows_take_no_part_in_the_contest(table):
    assert table.row("plain").cells[0].best
    assert table.row("plain").cells[0].summary.mean > 0.9488


def test_a_table_without_them_has_no_second_block():
    table = build_table(collect(filled({"plain": 1.0}).store(), "small"), LAYOUT)
    assert "Published" not in to_markdown(table)
    assert to_latex(table).count(r"\begin{table}") == 1


def test_an_unknown_name_is_bad_input_with_what_is_near():
    with pytest.raises(BadInput, match=r"^published: .* 'mosii'; did you mean 'mosi'"):
        published_rows(["mosii"])


@pytest.mark.parametrize("name", ["mosi", "mosei"])
def test_what_ships_is_in_our_metrics_and_scale(name: str):
    rows = published_rows([name])
    assert {row.dataset for row in rows} == {f"CMU-{name.upper()}"}
    assert all(row.source and row.modalities and row.numbers for row in rows)
    assert {metric for row in rows for metric in row.numbers} <= set(METRICS)
    assert all(0.2 < number.value < 1 for row in rows for number in row.numbers.values())


def test_the_table_of_mmsa_is_there_with_its_source():
    found = {row.method: row for row in published_rows(["mosi"]) if "thuiar/MMSA" in row.source}
    assert found["TFN"].numbers["mae"].value == 0.9473
    assert found["TFN"].numbers["acc2_non0"].value == 0.7908
    assert found["TFN"].source == "thuiar/MMSA:results/result-stat.md@a94e65d"
    assert len(found) == 11
