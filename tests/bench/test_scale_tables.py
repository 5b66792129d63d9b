"""docs/scale.md shows what the command prints from the saved result."""

import json

import pytest

from bench.scale import Prices, Workload
from bench.scale_tables import BEGIN, END, plan_text, write_into
from tests.bench.points import made_up_points
from tests.paths import PROJECT


def _saved(points):
    return {
        "machine": {"cores": 2, "processor": "made up", "python": "3.11", "load": 0.0},
        "series": {name: series.as_json() for name, series in points.series.items()},
        "fits": {name: fit.as_json() for name, fit in points.fits.items()},
        "facts": points.facts,
    }


def test_every_row_of_a_table_has_the_columns_of_its_heading():
    text = plan_text(_saved(made_up_points()), Workload(), Prices())
    widths: set[int] = set()
    tables = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            tables += bool(widths)
            assert len(widths) < 2, line
            widths = set()
        else:
            widths.add(line.count("|"))
    assert tables + bool(widths) == 7


def test_the_page_is_what_the_command_prints():
    saved = json.loads((PROJECT / "bench" / "slopes.json").read_text())
    page = (PROJECT / "docs" / "scale.md").read_text()
    shown = page.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == plan_text(saved, Workload(), Prices()).strip()


def test_only_what_is_between_the_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_into(page, "new")
    assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("no markers")
    with pytest.raises(ValueError, match="has no line"):
        write_into(page, "new")
