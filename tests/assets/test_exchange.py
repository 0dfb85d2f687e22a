"""A register goes into files and comes back equal; what cannot be used is named with its place."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
from builders import battery, load
from exchange_samples import whole
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from ems.assets.exchange import Register, read_register, write_csv, write_excel, write_yaml
from ems.assets.exchange_cells import cell_kind, original, safe
from ems.assets.exchange_entries import RECORDS
from ems.assets.portfolio import KINDS, Portfolio, read_portfolio
from ems.errors import EmsWarning, InvalidInput

ROOT = Path(__file__).resolve().parents[2]
ASSETS_HEADER = "kind,id,site_id,capacity_kwh,max_charge_kw,max_discharge_kw,min_soc,rated_load_kw,is_critical\n"
GOOD_ROW = "battery,b1,s,100,50,50,0.1,,\n"


@pytest.mark.parametrize(
    ("write", "name"), [(write_yaml, "all.yaml"), (write_csv, "tables"), (write_excel, "all.xlsx")]
)
def test_write__what_is_written_is_read_equal(write, name, tmp_path):
    write(whole(), tmp_path / name)

    assert read_register(tmp_path / name).portfolio() == whole()


@pytest.mark.parametrize("path", sorted((ROOT / "data" / "sites").glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("write", "name"), [(write_yaml, "all.yaml"), (write_csv, "tables"), (write_excel, "all.xlsx")]
)
def test_write__site_files_of_the_project(path, write, name, tmp_path):
    portfolio = read_portfolio(path)
    write(portfolio, tmp_path / name)

    assert read_register(path).portfolio() == portfolio
    assert read_register(tmp_path / name).portfolio() == portfolio


def test_write_yaml__is_a_site_file(tmp_path):
    write_yaml(whole(), tmp_path / "all.yaml")

    assert read_portfolio(tmp_path / "all.yaml") == whole()


def test_write_csv__writing_again_leaves_nothing_of_before(tmp_path):
    write_csv(whole(), tmp_path)
    write_csv(whole().replace(groups=(), members=(), dependencies=(), reserves=()), tmp_path)

    assert read_register(tmp_path).groups == ()


def test_write_csv__folder_with_other_files(tmp_path):
    (tmp_path / "old.yaml").write_text("currency: EUR")

    with pytest.raises(InvalidInput, match=r"holds old\.yaml as well; choose an empty folder"):
        write_csv(whole(), tmp_path)


# ---------------------------------------------------------------------------------- nothing is executed
@given(text=st.text(alphabet=st.sampled_from("=+-@'\"; \t\na1＝"), max_size=12))
@example(text="'=1")
@example(text='"";')
@example(text="''\"\"")
def test_safe__comes_back_and_begins_no_cell_with_a_formula(text):
    """Whatever a spreadsheet takes for the parting of cells, no cell begins with a sign that runs."""
    cell = safe(text)

    assert original(cell) == text
    for separator in (";", "\t", "\n"):
        assert not [part for part in cell.split(separator) if part.lstrip(' "').startswith(tuple("=+-@＝"))]


def test_write_csv__formulas_are_written_as_text(tmp_path):
    write_csv(whole(), tmp_path)

    text = (tmp_path / "sites.csv").read_text(encoding="utf-8-sig") + (tmp_path / "assets.csv").read_text()
    assert "'=HYPERLINK('x')" in text
    assert "'@SUM(1)" in text
    assert "a;'=1+1" in text
    assert "Street 1\n'-1" in text
    assert ",-0.004," in text or text.endswith(",-0.004")  # a number stays one


def test_write_excel__holds_no_formula(tmp_path):
    write_excel(whole(), tmp_path / "all.xlsx")

    book = load_workbook(tmp_path / "all.xlsx")
    assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n", "b", "d"}


# ---------------------------------------------------------------------------------- reading tables of people
def read_csv_text(folder: Path, text: str, name: str = "assets.csv", **options) -> Register:
    (folder / name).write_bytes(text.encode())
    return read_register(folder / name, **options)


def test_read_register__one_table_of_many_kinds(tmp_path):
    text = ASSETS_HEADER + GOOD_ROW + "load,l1,s,,,,,80,TRUE\n\n" + ",,,,,,,,\n"

    read = read_csv_text(tmp_path, text)

    assert read.assets == (
        battery(id="b1", site_id="s", max_charge_kw=50, max_discharge_kw=50, min_soc=0.1, max_soc=0.9,
                degradation_cost_per_kwh=0.01, round_trip_efficiency=0.95),
        load(id="l1", site_id="s", rated_load_kw=80, is_critical=True),
    )  # fmt: skip
    assert read.currency is None


@pytest.mark.parametrize("name", ["batteries.csv", "Battery.csv", "battery.csv"])
def test_read_register__table_named_for_its_kind(name, tmp_path):
    read = read_csv_text(
        tmp_path, "id,site_id,capacity_kwh,max_charge_kw,max_discharge_kw\nb1,s,100,50,50\n", name=name
    )

    assert [one.kind for one in read.assets] == ["battery"]


def test_read_register__semicolons_and_a_mark_of_utf8(tmp_path):
    text = "\ufeff" + (ASSETS_HEADER + GOOD_ROW).replace(",", ";")

    assert read_csv_text(tmp_path, text).assets[0].id == "b1"


def test_read_register__assets_without_a_site(tmp_path):
    """The file's only site, else that of the folder, else the default; else it is missed."""
    row = "kind,id,rated_load_kw\nload,l1,80\n"

    assert read_csv_text(tmp_path, row, default_site="there").assets[0].site_id == "there"
    with pytest.raises(InvalidInput, match=r"site_id: is required"):
        read_csv_text(tmp_path, row)
    (tmp_path / "sites.csv").write_text("id,timezone\nhere,UTC\n")
    assert read_register(tmp_path, default_site="there").assets[0].site_id == "here"


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        ("battery,b1,s,-5,50,50,0.1,,", "row 2 (battery 'b1'), column capacity_kwh = -5 kWh: must be greater than 0"),
        ("battery,b1,s,100,50,50,10,,", "column min_soc = 10: must be at most 1; looks like percent, write 0.1"),
        ('battery,b1,s,"12,5",50,50,0.1,,', "row 2, column capacity_kwh = '12,5': must be a number; perhaps 12.5"),
        ('battery,b1,s,"1,000.5",50,50,0.1,,', "must be a number; write it without signs between thousands"),
        ("battery,b1,s,100 kWh,50,50,0.1,,", "column capacity_kwh = '100 kWh': must be a number; the unit is in the"),
        ("battery,b1,s,100,50,50,10%,,", "column min_soc = '10%': must be a number; shares are fractions, write 0.1"),
        ("battery,b1,s,many,50,50,0.1,,", "column capacity_kwh = 'many': must be a number"),
        ("load,l1,s,,,,,80,yes", "column is_critical = 'yes': must be true or false"),
        ("load,l1,s,5,,,,80,", "row 2 (load 'l1'), column capacity_kwh: no such field"),
        ("load,l1,s,,,,,,", "row 2 (load 'l1'), column rated_load_kw: is required (in kW)"),
        ("lod,l1,s,,,,,80,", "row 2, kind = 'lod': no such kind; did you mean load?"),
        (",l1,s,,,,,80,", "row 2, kind: is required"),
        ("load,L1,s,,,,,80,", "column id = 'L1': must be small letters"),
        ("load,l1,s,,,,,80,,7", "row 2: '7' stands in column 10, which has no name; a separator within a text needs"),
        ('load,l1,"s,,,,,80,', "assets.csv: is no CSV"),
    ],
)  # fmt: skip
def test_read_register__finding_names_file_row_column_and_value(row, finding, tmp_path):
    with pytest.raises(InvalidInput) as caught:
        read_csv_text(tmp_path, ASSETS_HEADER + row + "\n")

    assert finding in str(caught.value)
    assert len(caught.value.findings) == 1
    assert "assets.csv" in caught.value.findings[0]


def test_read_register__all_findings_at_once(tmp_path):
    (tmp_path / "sites.csv").write_text("id,timezone\ns,Europe/Berlin\nt,Mars/Base\n")
    (tmp_path / "more.yaml").write_text("asets: []\nassets: [{kind: load, id: l9, site_id: s}]\n")
    (tmp_path / "assets.csv").write_text(
        "kind,id,site_id,capacity,rated_load_kw\nload,l1,s,,x\nload,l2,s,,-1\nload,l2,s,5,1\nload,l2,s,,1\n"
    )

    with pytest.raises(InvalidInput) as caught:
        read_register(tmp_path)

    said = "\n".join(caught.value.findings)
    for part in (
        "sites.csv, row 3 (site 't'), column timezone = 'Mars/Base': no time zone of that name",
        "more.yaml, 'asets': no such part; did you mean assets?",
        "more.yaml, asset 1 (load 'l9'): rated_load_kw: is required (in kW)",
        "assets.csv, column 'capacity': no kind has such a field; did you mean capacity_kwh?",
        "assets.csv, row 2, column rated_load_kw = 'x': must be a number",
        "assets.csv, row 3 (load 'l2'), column rated_load_kw = -1 kW: must be greater than 0 kW",
        "assets.csv, row 5: asset 'l2' stands at assets.csv, row 4 already",
    ):
        assert part in said
    assert len(caught.value.findings) == 7


def test_read_register__too_many_findings_are_counted(tmp_path):
    rows = "".join(f"load,l{number},s,,,,,-1,\n" for number in range(1000))

    with pytest.raises(InvalidInput) as caught:
        read_csv_text(tmp_path, ASSETS_HEADER + rows)

    assert len(caught.value.findings) == 31
    assert caught.value.findings[-1] == "and 970 more findings"


@pytest.mark.parametrize(
    ("name", "content", "finding"),
    [
        ("a.csv", "name,value\nx,1\n", "a.csv: cannot tell what it holds; give it a column kind, or name it sites"),
        ("assets.csv", "kind,id,id\nload,a,b\n", "column id: stands in the header a second time"),
        ("assets.csv", b"kind,id\nload,\xff\n", "is not UTF-8 text (byte 13); save it as 'CSV UTF-8'"),
        ("a.xlsx", b"PK nothing", "a.xlsx: is no Excel file that can be read"),
        ("a.yaml", "- 1", "a.yaml: holds"),
        ("a.yaml", "assets: {}", "assets = {}: must be a list"),
        ("a.yaml", "sites: [5]", "a.yaml, site 1 = 5: must be lines of 'name: value'"),
        ("a.yaml", "site: {id: a, timezone: UTC}\nsites: []", "site and sites stand side by side"),
        ("a.yaml", "series: 5", "a.yaml, series: must be lines of 'name: value'"),
        ("a.yaml", "series: {columns: 5}", "a.yaml, series: columns = 5: must be a list"),
        ("a.ods", "x", "must end with one of .yaml"),
    ],
)
def test_read_register__file_that_cannot_be_used(name, content, finding, tmp_path):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(InvalidInput) as caught:
        read_register(tmp_path / name)

    assert finding in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "kind,id,name\n"])
def test_read_register__file_without_a_row(text, tmp_path):
    (tmp_path / "assets.csv").write_text(text)
    with pytest.raises(InvalidInput, match="states nothing; a table needs a row below its header"):
        read_register(tmp_path / "assets.csv")


def test_read_register__nothing_there(tmp_path):
    with pytest.raises(InvalidInput, match="there is no such file or folder"):
        read_register(tmp_path / "none.yaml")
    with pytest.raises(InvalidInput, match="no YAML, CSV or Excel file is in this folder"):
        read_register(tmp_path)


def test_read_register__two_currencies(tmp_path):
    (tmp_path / "a.yaml").write_text("currency: EUR")
    (tmp_path / "b.yaml").write_text("currency: USD")

    with pytest.raises(InvalidInput, match=r"b\.yaml: currency = 'USD', but a\.yaml says 'EUR'"):
        read_register(tmp_path)


def test_read_register__megawatts_are_named(tmp_path):
    text = "kind,id,site_id,rated_capacity_kw,rotor_diameter_m,hub_height_m,cut_in_wind_speed_m_per_s,"
    text += "rated_wind_speed_m_per_s,cut_out_wind_speed_m_per_s\nwind_turbine,w,s,3.4,130,110,4,9.8,25\n"

    with pytest.warns(
        EmsWarning, match=r"assets\.csv, row 2, rated_capacity_kw = 3\.4 kW: .* looks like MW, write 3400"
    ):
        read_csv_text(tmp_path, text)


def test_portfolio__without_a_currency():
    with pytest.raises(InvalidInput, match="no currency is stated; add a line such as 'currency: EUR'"):
        Register(sites=whole().sites, assets=whole().assets).portfolio()


# ---------------------------------------------------------------------------------- odd values
def test_cells__each_field_is_read_by_its_type():
    """No field that a cell can leave empty loses a value by it: what may be nothing is nothing by default."""
    for record in (*KINDS.values(), *RECORDS.values()):
        for name, field in record.model_fields.items():
            allows_nothing = type(None) in getattr(field.annotation, "__args__", ())
            assert not allows_nothing or field.is_required() or field.default is None, (record, name)
            assert cell_kind(record, name) in ("text", "number", "integer", "boolean", "date", "json")


def test_write_yaml__texts_that_look_like_something_else(tmp_path):
    """YAML 1.1 and 1.2 take these for truth, nothing, numbers, times or structure unless they are quoted."""
    odd = [
        "NO",
        "null",
        "~",
        "1e3",
        "0o17",
        "0x1F",
        "12:30",
        "2024-06-01",
        "1_000",
        ".5",
        "- a",
        "a: b",
        "#c",
        "[x",
        " x ",
    ]
    portfolio = whole().replace(sites=(whole().sites[0].replace(metadata={"odd": odd, "no": True}), whole().sites[1]))

    write_yaml(portfolio, tmp_path / "all.yaml")

    assert read_register(tmp_path / "all.yaml").sites[0].metadata["odd"] == odd


def test_write__ten_thousand_assets_are_read_again(tmp_path):
    """Ten thousand assets of two kinds go through CSV within the time that their import may take."""
    assets = [battery(id=f"b{number}", site_id="north") for number in range(5000)]
    assets += [load(id=f"l{number}", site_id="north", rated_load_kw=number + 1) for number in range(5000)]
    big = Portfolio(currency="EUR", sites=whole().sites, assets=tuple(assets))
    write_csv(big, tmp_path)

    assert read_register(tmp_path).assets == big.assets


def test_read_register__no_warning_on_sound_files(tmp_path):
    write_yaml(whole(), tmp_path / "all.yaml")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_register(tmp_path / "all.yaml")


def test_write_csv__json_cells_are_json(tmp_path):
    write_csv(whole(), tmp_path)
    rows = (tmp_path / "sites.csv").read_text(encoding="utf-8-sig")

    assert json.dumps({"keys": ["a", 1, {"b": None}]}).replace('"', '""') in rows
