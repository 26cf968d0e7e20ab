"""What a caller is told about broken JSON."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.models.emitting import Emitted


@pytest.mark.parametrize(
    ("model", "text", "pointers"),
    [
        ("Presence", '{"a":1}', ["/a", "/b"]),
        ("Bill", '{"payment":{"kind":"card","number":1}}', ["/payment/number"]),
        ("Bill", '{"payment":{"kind":"card"}}', ["/payment/number"]),
        (
            "Bill",
            '{"payment":{"kind":"wallet","owner":"x"},"fallbacks":[{"kind":"card","number":"1"},{"kind":"wallet"}]}',
            ["/fallbacks/1/owner"],
        ),
        ("Bill", '{"payment":{"kind":"crypto"}}', ["/payment"]),
        ("Numbers", '{"wide":-1}', ["/wide"]),
        ("Numbers", '{"wide":true}', ["/wide"]),
        ("Shadows", '{"copy":"a","fooBar":1,"X-Rate":2}', ["/fooBar", "/X-Rate"]),
        ("Coded", '{"loose":"x"}', ["/loose"]),
        ("Shapes", '{"tail":["a","b"],"map":{"a/b":"x"}}', ["/tail/1", "/map/a~1b"]),
        ("Closed", '{"b":1}', ["/b"]),
        ("Closed", "{", [""]),
    ],
)
def test_violations_point_into_the_document(
    models: Any, emitted: Emitted, model: str, text: str, pointers: list[str]
) -> None:
    """Each wrong value is named once, by where it stands and not by how it was read."""
    kit = emitted.runtime("violations")
    with emitted.runtime("strictness").strict_requests(), pytest.raises(ValueError) as caught:
        getattr(models, model).from_json(text)
    assert list(dict.fromkeys(found.pointer for found in kit.violations(caught.value, text))) == pointers


def test_an_error_does_not_repeat_the_value_that_was_refused(models: Any) -> None:
    """Values may be secrets, and errors end in logs."""
    with pytest.raises(ValueError) as caught:
        models.Numbers.from_json('{"wide":"sk_live_secret"}')
    assert "sk_live_secret" not in str(caught.value)
