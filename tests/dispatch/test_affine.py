"""Formulas over arrays of steps, against the same formulas evaluated step by step on numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ems.dispatch.formulation.affine import Columns, Relation, Row, Rows


def value_of(expression: Row | Rows, x: np.ndarray) -> np.ndarray:
    """The numbers of an expression for given values of the columns."""
    if isinstance(expression, Row):
        return np.array([expression.const + sum(value * x[column] for column, value in expression.terms)])
    total = np.broadcast_to(np.asarray(expression.const, dtype=float), expression.rows).copy()
    for rows, columns, values in expression.terms:
        np.add.at(total, np.arange(expression.rows) if rows is None else rows, values * x[columns])
    return total


X = np.array([2.0, 3.0, 5.0, 7.0, 11.0])
CHARGE, ENERGY = Columns(np.array([0, 1]), range(2)), Columns(np.array([2, 3, 4]), range(3))
T = np.arange(2)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (lambda c, e, t: c[t] + e[t + 1], [9, 14]),
        (lambda c, e, t: e[t + 1] - e[t] - 2 * c[t], [-2, -2]),
        (lambda c, e, t: np.array([10.0, 100.0])[t] * c[t], [20, 300]),
        (lambda c, e, t: c[t] / 2 - 1, [0, 0.5]),
        (lambda c, e, t: 1 - c[t], [-1, -2]),
        (lambda c, e, t: np.array([10.0, 100.0])[t] - c[t], [8, 97]),
        (lambda c, e, t: -(c[t] * np.array([1.0, 2.0])[t]) + e[2], [9, 5]),
        (lambda c, e, t: sum([c[t], e[t]]), [7, 10]),
    ],
)
def test_formula__of_arrays_is_that_of_each_step(formula, expected):
    """The values are those of the formula with charge 2, 3 and energy 5, 7, 11."""
    assert value_of(formula(CHARGE, ENERGY, T), X) == pytest.approx(expected)
    assert [value_of(formula(CHARGE, ENERGY, t), X)[0] for t in range(2)] == pytest.approx(expected)


def test_relation__keeps_side_and_constant():
    relation = np.array([4.0, 6.0]) <= CHARGE[T]
    assert isinstance(relation, Relation)
    assert relation.sense == ">="
    assert value_of(relation.expression, X) == pytest.approx([-2, -3])
    assert (CHARGE[0] == 1).sense == "=="


def test_relation__is_neither_true_nor_false():
    """A rule that branches on a variable is a mistake of whoever wrote it, and says so."""
    with pytest.raises(TypeError, match="branch"):
        bool(CHARGE[0] <= 1)
    with pytest.raises(TypeError, match="branch"):
        bool(CHARGE[T] + 1)


def test_columns__keys_of_their_own():
    peaks = Columns(np.array([4, 1]), ["june", "july"])
    assert value_of(peaks["july"] + peaks["june"] * 2, X) == pytest.approx([25])
    later = Columns(np.array([3, 4]), range(1, 3))
    assert value_of(later[np.array([2, 1])], X) == pytest.approx([11, 7])


def test_formula__of_different_lengths():
    with pytest.raises(ValueError, match="mixes 2 and 3 steps"):
        CHARGE[T] + ENERGY[np.arange(3)]
