"""Random demand charges and other fields of a grid connection, for horizons around the end of May 2024."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from random_numbers import rounded

LABELS = {
    "month": ["2024-04", "2024-05", "2024-06"],
    "day": ["2024-05-30", "2024-05-31", "2024-06-01"],
    "horizon": ["horizon"],
}


@st.composite
def demand_charges(draw: Any) -> dict[str, Any]:
    """Fields of a demand charge without its name; windows begin and end at full hours."""
    period = draw(st.sampled_from(list(LABELS)))
    powers = st.dictionaries(st.sampled_from(LABELS[period]), rounded(0, 80), max_size=2)
    fields: dict[str, Any] = {
        "rate_per_kw": draw(rounded(0, 20)),
        "rates_per_kw": draw(st.one_of(st.just({}), powers)),
        "basis": draw(st.sampled_from(["import", "import", "export"])),
        "period": period,
        "prior_peak_kw": draw(st.sampled_from([0, 0, 20])),
        "prior_peaks_kw": draw(st.one_of(st.just({}), powers)),
        "free_kw": draw(st.sampled_from([0, 0, 10])),
    }
    if draw(st.booleans()):
        begin, end = draw(st.integers(0, 23)), draw(st.integers(1, 24))
        fields |= {"from_time": f"{begin:02d}:00", "until_time": f"{end:02d}:00"}
    if draw(st.booleans()):
        fields["months"] = draw(st.sampled_from([[5], [6], [1, 5, 6]]))
    if period != "horizon" and draw(st.booleans()):
        back: dict[str, Any] = {"previous": draw(st.integers(1, 3))}
        if draw(st.booleans()):
            back = {"periods": draw(st.lists(st.sampled_from(LABELS[period]), min_size=1, unique=True))}
        fields["ratchet"] = {"share": draw(rounded(0, 1)), **back}
    return fields


@st.composite
def charges_by_series(draw: Any) -> dict[str, Any]:
    """Fields of a demand charge without its name whose window and period are series, for steps of any length."""
    fields: dict[str, Any] = {
        "rate_per_kw": draw(rounded(0, 20)),
        "basis": draw(st.sampled_from(["import", "export"])),
        "prior_peak_kw": draw(st.sampled_from([0, 0, 20])),
        "prior_peaks_kw": draw(st.dictionaries(st.sampled_from(["1", "2"]), rounded(0, 80), max_size=2)),
        "free_kw": draw(st.sampled_from([0, 0, 10])),
        "window_series": draw(st.sampled_from([None, "is_counted"])),
        "period_series": "part",
    }
    back = draw(st.sampled_from([None, {"previous": 1}, {"periods": [1, 3]}]))
    return fields | ({} if back is None else {"ratchet": {"share": draw(rounded(0, 1)), **back}})


@st.composite
def connection_fields(draw: Any, steps: int) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """Fields of a connection beside its limits and prices, and its series by name, for steps of any length."""
    charges = draw(st.lists(charges_by_series(), max_size=2))
    fields = {
        "demand_charges": [{"name": f"charge {number}", **one} for number, one in enumerate(charges)],
        "may_import_while_exporting": draw(st.booleans()),
        "co2_intensity_kg_per_kwh": draw(st.sampled_from([0, 0.4])),
        "transformer_losses_kw": draw(st.sampled_from([0, 0.5])),
    }

    def column(values: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(values, min_size=steps, max_size=steps))

    series = {"is_counted": column(st.sampled_from([0, 1])), "part": column(st.sampled_from([1, 2, 3]))}
    if draw(st.booleans()):
        series["co2_intensity_kg_per_kwh"] = column(rounded(0, 1))
    return fields, series
