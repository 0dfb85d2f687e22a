"""Series from people: files with stamps and numbers become one dataset on a raster in UTC.

Conventions
-----------
- ``time`` is the beginning of a step, in UTC, stored without zone (``datetime64[ns]``). A file whose stamps are the
  ends of steps must be shifted before it is given.
- A value is the mean over its step. Power is in kW, a price in the portfolio's currency per kWh.
- Variables carry their unit at the end of their name and in ``attrs["units"]``; each has the dimensions
  ``(time, asset)``. All share one ``asset`` coordinate; where a variable does not apply to an asset, it is NaN.
- ``var.attrs["columns"]`` says which column of the file feeds which asset: ``{"office": "load_kw"}``.
- A gap is NaN until `ems.series.cutting.cut_series` refuses or fills it; a dataset that was cut has no gaps.
- ``attrs`` of the dataset: ``source``, ``sha256``, ``timezone`` (how stamps were read), ``step_h`` (one number, or a
  list where steps differ), and ``notes``: each assumption and each change of a value, in words.
"""
