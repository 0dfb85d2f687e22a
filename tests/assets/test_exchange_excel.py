"""Excel files of people, and texts and numbers at the edge of what files can hold."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from builders import battery, load
from exchange_samples import whole
from openpyxl import Workbook, load_workbook

from ems.assets.exchange import read_register, write_csv, write_excel, write_yaml
from ems.errors import InvalidInput


def excel_file(path: Path, *rows: tuple[object, ...], title: str = "assets") -> Path:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_read_register__excel_makes_numbers_and_dates_of_texts(tmp_path):
    """A serial number typed as digits is a number to Excel, and a day a moment."""
    header = ("kind", "id", "site_id", "rated_load_kw", "serial_number", "installation_date", "priority_level")
    day = dt.datetime(2024, 6, 1)
    path = excel_file(tmp_path / "a.xlsx", header, ("load", "l1", "s", 80, 4711, day, 3.0))

    (asset,) = read_register(path).assets

    assert (asset.serial_number, asset.installation_date, asset.priority_level) == ("4711", dt.date(2024, 6, 1), 3)


@pytest.mark.parametrize(
    ("cells", "finding"),
    [
        (("load", "l1", "s", "=40+40"), "sheet 'assets', row 2: holds a formula without a value; open the file in"),
        (("load", "l1", "s", True), "row 2 (load 'l1'), column rated_load_kw = true: must be a number"),
        (("load", "l1", "s", dt.datetime(2024, 1, 1, 5)), "rated_load_kw = 2024-01-01 05:00:00: must be a number"),
    ],
)  # fmt: skip
def test_read_register__excel_cell_that_cannot_be_used(cells, finding, tmp_path):
    path = excel_file(tmp_path / "a.xlsx", ("kind", "id", "site_id", "rated_load_kw"), cells)

    with pytest.raises(InvalidInput) as caught:
        read_register(path)

    assert finding in str(caught.value)


def test_read_register__sheet_that_says_nothing(tmp_path):
    path = excel_file(tmp_path / "a.xlsx", ("Hello",), ("world",), title="Notes")

    with pytest.raises(InvalidInput, match=r"a\.xlsx, sheet 'Notes': cannot tell what it holds"):
        read_register(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        '""',
        "'",
        "''",
        "' ",
        '\'""',
        "_x0041_",
        "_x005F_x0041_",
        "\ufffe",
        "\ufeffa",
        "\u2028",
        "0123",
        "1e3",
    ],
)
@pytest.mark.parametrize(
    ("write", "name"), [(write_yaml, "all.yaml"), (write_csv, "tables"), (write_excel, "all.xlsx")]
)
def test_write__texts_at_the_edge(write, name, text, tmp_path):
    """Nothing, spaces, apostrophes, Excel's own escapes and signs that XML cannot hold come back as they were."""
    odd = load(site_id="north", location=text, description=text, metadata={text: [text, {"a\x85b": "\x01"}]})
    write(
        whole().replace(assets=(battery(site_id="north"), odd), tariffs=(), members=(), dependencies=(), reserves=()),
        tmp_path / name,
    )

    assert read_register(tmp_path / name).assets[1] == odd


def test_write_excel__every_digit_of_a_number(tmp_path):
    """0.1 + 0.2 has 17 digits."""
    exact = load(site_id="north", rated_load_kw=0.1 + 0.2)
    write_excel(whole().replace(assets=(exact,), members=(), dependencies=(), reserves=()), tmp_path / "all.xlsx")

    assert read_register(tmp_path / "all.xlsx").assets[0].rated_load_kw == 0.1 + 0.2
    sheet = load_workbook(tmp_path / "all.xlsx")["assets"]
    assert {type(cell.value) for cell in sheet[2] if cell.value is not None} == {str, float}


def test_write_excel__text_too_long_for_a_cell(tmp_path):
    long = load(site_id="north", metadata={"a": "x" * 40_000})

    with pytest.raises(InvalidInput, match="is longer than the 32767 characters of a cell; export YAML"):
        write_excel(whole().replace(assets=(long,), members=(), dependencies=(), reserves=()), tmp_path / "all.xlsx")
    assert not (tmp_path / "all.xlsx").exists()
