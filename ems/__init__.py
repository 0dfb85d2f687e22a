"""Energy management in notebooks: assets, forecasts, dispatch, settlement and reports.

The package is a house. On the ground floor stand names and units, time, series, records, tariffs and
assets. Four wings that do not know each other work on them: ``forecast`` (what will come), ``dispatch``
(what to do), ``settlement`` (what it costs in truth), ``database`` and ``report`` (what is kept and shared).
A study in ``studies`` joins the wings for one notebook; ``batch`` runs notebooks.

Import a thing from the module that defines it: ``from ems.horizon import Horizon``.
"""
