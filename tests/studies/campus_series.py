"""The formulas of the campus, as data/README.md states them; run as a program it writes the file anew.

Weather is drawn at random first; load, sun, wind and price follow from it, each with noise of its own, and the weather
forecasts are the truth with an error that grows with the hours since local midnight, when they were issued.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

FILE = Path(__file__).resolve().parents[2] / "data" / "series" / "campus.parquet"
TIMEZONE = "Europe/Berlin"
BEGIN, END = "2025-01-01", "2026-04-02"
MEASURED_UNTIL = "2026-03-31"
"""Local midnight at which the forecasts of the last days were issued; nothing later is measured."""
LATITUDE_DEG, LONGITUDE_DEG = 49.79, 9.95
TILT_DEG, AZIMUTH_DEG = 15, 170
DC_KW, AC_KW = 300, 250
TURBINE_KW, CUT_IN, RATED_SPEED, CUT_OUT = 225, 3.0, 12.5, 25.0
HOLIDAYS = (
    "2025-01-01", "2025-01-06", "2025-04-18", "2025-04-21", "2025-05-01", "2025-05-29", "2025-06-09", "2025-06-19",
    "2025-08-15", "2025-10-03", "2025-11-01", "2025-12-25", "2025-12-26", "2026-01-01", "2026-01-06",
)  # fmt: skip
LECTURES = (("2025-01-01", "2025-02-08"), ("2025-04-23", "2025-07-26"), ("2025-10-13", "2026-02-07"))
CLOSED = (("2025-01-01", "2025-01-07"), ("2025-12-24", "2026-01-07"))
EVENINGS = (
    "2025-02-06", "2025-05-15", "2025-06-26", "2025-07-10", "2025-07-24", "2025-10-16", "2025-11-13", "2025-12-11",
    "2026-01-22", "2026-02-05", "2026-03-12", "2026-03-19",
)  # fmt: skip
SNOW = (("2025-01-11", "2025-01-14"), ("2025-02-15", "2025-02-18"), ("2026-01-08", "2026-01-12"))
REPAIR = ("2025-09-08", "2025-09-10")
GAPS = (("2025-06-12 09:00", "2025-06-12 16:00"), ("2026-02-10 22:00", "2026-02-11 05:00"))
FROZEN = (("2025-09-16 13:00", "2025-09-17 07:00"), ("2026-03-05 20:00", "2026-03-06 09:00"))
SPIKES = ("2025-11-18 11:00", "2026-02-24 14:00")


class Draws:
    """Random numbers; `RandomState` gives the same ones under every version of numpy, as its makers promise."""

    def __init__(self, steps: int, seed: int = 20250101) -> None:
        self.steps = steps
        self.state = np.random.RandomState(seed)

    def white(self, size: int | None = None) -> np.ndarray:
        """Independent normal numbers of deviation 1."""
        return self.state.standard_normal(size or self.steps)

    def red(self, memory_h: float, size: int | None = None) -> np.ndarray:
        """Normal numbers of deviation 1 whose correlation falls to 37 % within so many steps."""
        keep = np.exp(-1 / memory_h)
        found = self.white(size)
        for t in range(1, len(found)):
            found[t] = keep * found[t - 1] + np.sqrt(1 - keep**2) * found[t]
        return found


def within(time: pd.DatetimeIndex, spans: tuple[tuple[str, str], ...]) -> np.ndarray:
    """1 from a local moment to another, else 0."""
    found = np.zeros(len(time))
    for begin, end in spans:
        found[(time >= pd.Timestamp(begin, tz=TIMEZONE)) & (time < pd.Timestamp(end, tz=TIMEZONE))] = 1
    return found


def hump(h: np.ndarray, at_h: float, width_h: float) -> np.ndarray:
    """1 at an hour of the day, less before and after it."""
    return np.exp(-(((h - at_h) / width_h) ** 2))


def sun(time: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """Sine of the sun's height, and cosine of its angle to the panels, both at least 0, in the middle of each step."""
    utc = time.tz_convert("UTC") + pd.Timedelta(minutes=30)
    turn = 2 * np.pi * (utc.dayofyear.to_numpy() - 81) / 365
    declination = np.radians(23.45) * np.sin(turn)
    late_min = 9.87 * np.sin(2 * turn) - 7.53 * np.cos(turn) - 1.5 * np.sin(turn)
    clock_h = utc.hour.to_numpy() + utc.minute.to_numpy() / 60 + LONGITUDE_DEG / 15 + late_min / 60
    angle, latitude = np.radians(15 * (clock_h - 12)), np.radians(LATITUDE_DEG)
    up = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    south = np.sin(latitude) * np.cos(declination) * np.cos(angle) - np.cos(latitude) * np.sin(declination)
    west = np.cos(declination) * np.sin(angle)
    tilt, turned = np.radians(TILT_DEG), np.radians(AZIMUTH_DEG - 180)
    on_panels = np.cos(tilt) * up + np.sin(tilt) * (np.cos(turned) * south + np.sin(turned) * west)
    return np.maximum(up, 0), np.where(up > 0, np.maximum(on_panels, 0), 0)


def turbine_kw(speed: np.ndarray) -> np.ndarray:
    """Power at a wind speed at 10 m: the cube law between cut-in and rated speed at a hub of 50 m."""
    hub = speed * 5 ** (1 / 7)
    share = (hub**3 - CUT_IN**3) / (RATED_SPEED**3 - CUT_IN**3)
    return np.where((hub < CUT_IN) | (hub >= CUT_OUT), 0.0, TURBINE_KW * np.clip(share, 0, 1))


def panels_kw(time: pd.DatetimeIndex, clear: np.ndarray, degc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Global irradiance in W/m², and power of the roof, at a share of the clear sky's light."""
    up, on_panels = sun(time)
    with np.errstate(divide="ignore"):
        clear_sky = np.where(up > 0.01, 1098 * up * np.exp(-0.059 / np.maximum(up, 0.01)), 0.0)
    ghi = clear * clear_sky
    direct = ghi * np.clip(1.35 * clear - 0.45, 0, 0.9)  # what is not direct light comes from the whole sky
    light = ghi - direct + np.where(up > 0.05, direct * on_panels / np.maximum(up, 0.05), 0.0)
    cell_degc = degc + 0.03 * light
    return ghi, np.minimum(DC_KW * 0.86 * light / 1000 * (1 - 0.0037 * (cell_degc - 25)), AC_KW)


@dataclass(frozen=True)
class Weather:
    """Weather of each step, and as it was forecast.

    Parameters
    ----------
    clear : ndarray
        Share of the clear sky's light.
    degc, speed : ndarray
        Temperature, and wind speed at 10 m in m/s.
    gusty : ndarray
        The wind as a normal number.
    """

    clear: np.ndarray
    degc: np.ndarray
    speed: np.ndarray
    gusty: np.ndarray

    @classmethod
    def drawn(cls, time: pd.DatetimeIndex, draw: Draws) -> Weather:
        """Weather as it is: clouds of hours and of days, warm and cold weeks, windy winters."""
        h, winter = hours(time), winters(time)
        overcast, synoptic = draw.red(20), draw.red(70)
        clear = 0.12 + 0.88 * expit(1.1 - 0.9 * winter - 1.7 * overcast - 0.6 * draw.red(3))
        degc = 10 - 10 * winter + 4.2 * synoptic + 5.5 * clear * (hump(h, 15, 5) - 0.45) + 0.7 * draw.red(4)
        gusty = 0.55 * draw.red(45) + 0.75 * draw.red(14) + 0.35 * winter + 0.25 * hump(h, 14, 5)
        speed = 4.6 * (-np.log(np.maximum(1 - ndtr(gusty / 1.05), 1e-6))) ** (1 / 2.1)
        return cls(clear, degc, speed, gusty)

    def forecast(self, time: pd.DatetimeIndex, draw: Draws) -> Weather:
        """The truth with an error that grows; issued at each local midnight, at the last one for two days."""
        is_last = time >= pd.Timestamp(MEASURED_UNTIL, tz=TIMEZONE) + pd.Timedelta(days=1)
        grows = 0.45 + 0.55 * np.sqrt((hours(time) + 24 * is_last) / 24)
        degc = self.degc + 1.3 * grows * draw.red(9) + 0.3
        logit = np.log((self.clear - 0.1199) / (1.0001 - self.clear))
        clear = 0.12 + 0.88 * expit(logit + 0.9 * grows * draw.red(6) - 0.1)
        speed = self.speed * (1 + 0.1 * grows * draw.red(8)) + 0.7 * grows * draw.red(8) - 0.1
        return Weather(clear, degc, np.maximum(speed, 0), self.gusty)


def hours(time: pd.DatetimeIndex) -> np.ndarray:
    """Hour of the local day."""
    return time.hour.to_numpy().astype(float)


def winters(time: pd.DatetimeIndex) -> np.ndarray:
    """1 in the middle of January, -1 half a year later."""
    return np.cos(2 * np.pi * (time.dayofyear.to_numpy() - 15) / 365.25)


def buildings_kw(time: pd.DatetimeIndex, degc: np.ndarray, draw: Draws) -> np.ndarray:
    """What offices, laboratories and a canteen draw: people, walls that are slow, lamps, evenings, and chance."""
    h, (up, _) = hours(time), sun(time)
    date, weekday = time.strftime("%Y-%m-%d"), time.dayofweek.to_numpy()
    is_off = date.isin(HOLIDAYS) | (within(time, CLOSED) == 1)
    staff = np.where(is_off, 0.06, np.array([0.96, 1, 1, 0.98, 0.86, 0.2, 0.08])[weekday])
    busy = staff * (0.78 + 0.22 * within(time, LECTURES))
    of_day = 1 / (1 + np.exp(-1.6 * (h - 7))) - 1 / (1 + np.exp(-0.9 * (h - 18)))
    of_day += 0.16 * hump(h, 11.8, 1.2)  # the canteen
    number = (time.normalize() - time[0].normalize()).days.to_numpy()
    of_days = draw.red(2.5, number[-1] + 1)[number]
    felt = pd.Series(degc).ewm(halflife=10).mean().to_numpy()
    heating, cooling = np.maximum(15 - felt, 0), np.maximum(felt - 18, 0)
    campaigns = (draw.red(60) > 1.1) * 38.0  # a laboratory that runs for days, and tells nobody
    load_kw = 118 + 230 * busy * of_day * (1 + 0.045 * of_days) + campaigns
    load_kw += heating * (2.2 + 2.6 * busy * of_day) + cooling * (3.0 + 9.5 * busy * of_day)
    load_kw += 34 * busy * (up < 0.12) * hump(h, 13, 7)  # lamps
    load_kw += 85 * date.isin(EVENINGS) * hump(h, 20.5, 2)
    return load_kw + (5 + 0.022 * load_kw) * (0.8 * draw.red(5) + 0.6 * draw.white())


def market_price(time: pd.DatetimeIndex, weather: Weather, draw: Draws) -> np.ndarray:
    """What a kWh costs on the day-ahead market, which has weather of its own: demand less sun and wind, and chance."""
    h, (up, _) = hours(time), sun(time)
    market_sun = up * (0.6 * weather.clear + 0.4 * (0.35 + 0.5 * expit(1 - draw.red(24))))
    market_wind = expit(0.9 * weather.gusty + 0.8 * draw.red(30) - 0.3)
    of_week = np.array([1, 1, 1, 1, 0.95, 0.45, 0.2])[time.dayofweek.to_numpy()]
    work = np.where(time.strftime("%Y-%m-%d").isin(HOLIDAYS), 0.2, of_week)
    needed = 0.45 + 0.3 * work + 0.22 * hump(h, 8.5, 3) + 0.34 * hump(h, 19, 2.6) + 0.12 * winters(time)
    rest = needed - 0.62 * market_sun - 0.42 * market_wind
    price = 0.018 + 0.115 * rest + 0.10 * np.maximum(rest - 0.75, 0) ** 1.5 + 0.012 * draw.red(200)
    return price + (0.006 + 0.02 * np.maximum(rest - 0.6, 0)) * draw.red(3)


def as_metered(time: pd.DatetimeIndex, load_kw: np.ndarray) -> np.ndarray:
    """The load as its meter tells it, which was silent, hung, and counted four hours as one."""
    metered = np.where(within(time, GAPS) == 1, np.nan, load_kw.round(1))
    for begin, end in FROZEN:
        hung = within(time, ((begin, end),)) == 1
        metered[hung] = metered[hung][0]
    for moment in SPIKES:
        metered[time == pd.Timestamp(moment, tz=TIMEZONE)] *= 4
    return metered


def campus() -> pd.DataFrame:
    """Fifteen months in hours, and two more days of which only the weather is forecast."""
    time = pd.date_range(BEGIN, END, freq="h", inclusive="left", tz=TIMEZONE)
    draw = Draws(len(time))
    weather = Weather.drawn(time, draw)
    ahead = weather.forecast(time, draw)
    _, roof_kw = panels_kw(time, weather.clear, weather.degc)
    ghi_ahead, _ = panels_kw(time, ahead.clear, ahead.degc)
    roof_kw = roof_kw * (1 - 0.9 * within(time, SNOW)) * (1 + 0.03 * draw.white())
    wind_kw = np.clip(turbine_kw(weather.speed) * (1 + 0.08 * draw.white()), 0, TURBINE_KW)
    is_known = time < pd.Timestamp(MEASURED_UNTIL, tz=TIMEZONE)
    measured = {
        "buildings.demand_kw": as_metered(time, buildings_kw(time, weather.degc, draw)).round(1),
        "roof.available_kw": np.clip(roof_kw, 0, AC_KW).round(1),
        "turbine.available_kw": (wind_kw * (1 - within(time, (REPAIR,)))).round(1),
        "grid.import_price_per_kwh": market_price(time, weather, draw).round(4),
        "temperature_degc": weather.degc.round(1),
    }
    forecast = {
        "temperature_forecast_degc": ahead.degc.round(1),
        "ghi_forecast_w_per_m2": ghi_ahead.round(0),
        "wind_speed_forecast_m_per_s": ahead.speed.round(1),
    }
    columns = {name: np.where(is_known, values, np.nan) + 0.0 for name, values in measured.items()} | forecast
    return pd.DataFrame({"time": time.tz_convert("UTC"), **columns})


def write(path: Path = FILE) -> None:
    """Write the series, packed."""
    campus().to_parquet(path, index=False, compression="zstd")


if __name__ == "__main__":
    write()
