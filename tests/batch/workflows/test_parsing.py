"""Reading Python source from several threads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ems.batch.workflows.parsing import expression_tree, module_tree

NESTED = "x = " + "(1 + " * 60 + "1" + ")" * 60


@pytest.fixture(autouse=True)
def quick_turns() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_module_tree__by_eight_threads_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(module_tree, [NESTED] * 400))

    assert all(len(tree.body) == 1 for tree in trees)


def test_expression_tree__is_one_expression() -> None:
    assert expression_tree("a + 1").body is not None
    with pytest.raises(SyntaxError):
        expression_tree("a = 1")
