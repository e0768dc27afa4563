from __future__ import annotations

import pytest

from runtime.calling.rate import Rates
from runtime.errors import CallError


def test_each_caller_has_a_bucket_that_fills_evenly() -> None:
    now = [0.0]
    rates = Rates(lambda: now[0])
    for _ in range(6):
        rates.count("one", 60)
    with pytest.raises(CallError, match=r"call\.too_often") as refused:
        rates.count("one", 60)
    assert refused.value.status == 429
    rates.count("another", 60)
    now[0] = 1.0
    rates.count("one", 60)
    with pytest.raises(CallError):
        rates.count("one", 60)
    for _ in range(100):
        rates.count("one", 0)
