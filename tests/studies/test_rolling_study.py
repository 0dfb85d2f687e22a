"""The parameters of rolling plans: what would have no effect is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ems.errors import InvalidInput
from ems.studies.rolling import RollingStudy


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"careful_level": 0.6}, "careful_level = 0.6: has no effect without the policy plan_own"),
        ({"calm_price_per_kwh": 0.1}, "calm_price_per_kwh = 0.1: has no effect without a policy that plans"),
        ({"cvar_weight": 0.5}, "cvar_weight = 0.5: has no effect without the policy stochastic"),
    ],
)
def test_rolling_study__refuses_what_a_hedged_plan_does_not_look_at(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        RollingStudy(policies=["hedged"], **given)
    assert RollingStudy(**given).compared
