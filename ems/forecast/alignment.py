"""Observations and predictions side by side: as arrays whose axes fit, without a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ems.errors import InvalidInput, MissingValues

if TYPE_CHECKING:
    import xarray as xr

Values: TypeAlias = "ArrayLike | xr.DataArray"
"""Numbers as a list, an array or a labelled array; two labelled ones are fitted by their labels."""


def aligned(
    observed: Values, predicted: Values, subject: str, last: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return observations and predictions as arrays whose axes fit.

    Parameters
    ----------
    observed : array or DataArray (...)
    predicted : array or DataArray (...) or (..., last)
        Labelled arrays may have dimensions, as ``issued_at``, that the observations lack.
    subject : str
        The score, as messages name it.
    last : str, optional
        Dimension that only predictions have, as ``quantile``; of plain arrays it is the last one.

    Returns
    -------
    tuple of ndarray (...) and ndarray (...) or (..., last)

    Raises
    ------
    InvalidInput
        If labels or shapes differ, or there is nothing to compare.
    MissingValues
        If a value is NaN or infinite.
    """
    if is_labelled(observed) and is_labelled(predicted):
        seen, said = _by_label(observed, predicted, subject, last)
    else:
        seen, said = np.asarray(observed, dtype=float), np.asarray(predicted, dtype=float)
        shape = said.shape[: said.ndim - 1] if last else said.shape
        if seen.shape != shape or (last and not said.ndim):
            wanted = f"{seen.shape} and one for each {last} at the end" if last else f"{seen.shape}"
            raise InvalidInput(subject, f"predictions have shape {said.shape}: must have {wanted}, as observations")
    if not seen.size or not said.size:
        raise InvalidInput(subject, "there are no observations to compare with")
    for what, values in (("observations", seen), ("predictions", said)):
        check_finite(values, what, subject)
    return seen, said


def is_labelled(values: Any) -> bool:
    """Return whether values are a labelled array; told without loading xarray."""
    return hasattr(values, "dims")


def check_finite(values: np.ndarray, what: str, subject: str) -> None:
    """Raise MissingValues if a value is NaN or infinite."""
    gaps = int(values.size - np.isfinite(values).sum())
    if gaps:
        raise MissingValues(
            subject, f"{gaps} of {values.size} {what} are missing; leave these steps out on both sides"
        )


def _by_label(observed: Any, predicted: Any, subject: str, last: str | None) -> tuple[np.ndarray, np.ndarray]:
    import xarray as xr

    if last and last not in predicted.dims:
        raise InvalidInput(subject, f"predictions have no dimension {last}; theirs are {', '.join(predicted.dims)}")
    try:
        observed, predicted = xr.align(observed, predicted, join="exact")
    except ValueError:
        shared = ", ".join(str(dim) for dim in observed.dims if dim in predicted.dims)
        raise InvalidInput(
            subject, f"observations and predictions differ in their labels of {shared}; select the same on both sides"
        ) from None
    axes = [dim for dim in predicted.dims if dim != last]
    missing = [str(dim) for dim in observed.dims if dim not in axes]
    if missing:
        raise InvalidInput(subject, f"predictions have no dimension {', '.join(missing)}, which observations have")
    predicted = predicted.transpose(*axes, *([last] if last else []))
    spread = observed.broadcast_like(predicted.isel({last: 0}) if last else predicted).transpose(*axes)
    return spread.to_numpy().astype(float), predicted.to_numpy().astype(float)
