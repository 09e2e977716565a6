from __future__ import annotations

import pytest

from raretag.training.setting_names import covers, override_key


def test_the_key_ends_at_the_first_sign() -> None:
    assert override_key(" objective.name = a=b") == "objective.name"
    assert override_key("seed") == "seed"


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("policy", "policy.beta.tail", True),
        ("policy.beta", "policy.beta", True),
        ("policy.beta.tail", "policy.beta", False),
        ("policy", "policyx.beta", False),
    ],
)
def test_a_part_holds_what_lies_under_it(name: str, key: str, expected: bool) -> None:
    assert covers(name, key) == expected
