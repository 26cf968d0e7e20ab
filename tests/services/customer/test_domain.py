"""Laws of profiles, attempts and refresh tokens, without any engine."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.domain import (
    AttemptPolicy,
    Attempts,
    Invalid,
    MethodType,
    Profile,
    RefreshToken,
    Verdict,
    changed_profile,
    check_token,
    judge,
)

NOW = datetime(2026, 2, 1, tzinfo=UTC)
MEMBERS = tuple(each.name for each in fields(Profile))
NAMES = st.none() | st.sampled_from(["Ada", "Grace", ""])
PROFILES = st.builds(
    Profile,
    given_name=NAMES,
    family_name=NAMES,
    phone_number=st.none() | st.just("+4930901820"),
    locale=st.none() | st.sampled_from(["en", "de-DE"]),
    marketing_consent=st.none() | st.booleans(),
)
MASKS = st.lists(st.sampled_from(MEMBERS), unique=True).map(tuple)


@given(PROFILES, PROFILES, MASKS)
def test_an_update_touches_what_it_names_and_says_what_changed(
    before: Profile, given_: Profile, mask: tuple[str, ...]
) -> None:
    after, changed = changed_profile(before, given_, mask)
    named = mask or tuple(name for name in MEMBERS if getattr(given_, name) is not None)
    for name in MEMBERS:
        expected = getattr(given_, name) if name in named else getattr(before, name)
        assert getattr(after, name) == expected
        assert (name in changed) is (getattr(after, name) != getattr(before, name))


@given(PROFILES, PROFILES, MASKS)
def test_repeating_an_update_changes_nothing(before: Profile, given_: Profile, mask: tuple[str, ...]) -> None:
    after, _ = changed_profile(before, given_, mask)
    assert changed_profile(after, given_, mask) == (after, ())


@given(PROFILES)
def test_a_whole_mask_replaces_the_profile(given_: Profile) -> None:
    before = Profile(given_name="Ada", family_name="L", phone_number="+4930901820", locale="en", marketing_consent=True)
    assert changed_profile(before, given_, MEMBERS)[0] == given_
    assert "Ada" not in repr(before)
    assert asdict(given_).keys() == set(MEMBERS)


@given(st.integers(1, 5), st.lists(st.integers(0, 1200), max_size=30))
def test_no_more_attempts_pass_in_a_window_than_are_allowed(allowed: int, pauses: list[int]) -> None:
    policy = AttemptPolicy(allowed=allowed)
    now, found, passed = NOW, Attempts(failures=0, since=NOW), list[datetime]()
    for pause in pauses:
        now += timedelta(seconds=pause)
        wait = found.wait(policy, now)
        if wait is None:
            found = found.one_more(policy, now)
            passed.append(now)
        else:
            assert 0 < wait <= policy.window.total_seconds()
            assert found.wait(policy, now + timedelta(seconds=wait)) is None
    for first in passed:
        if first == found.since:
            assert sum(first <= each < first + policy.window for each in passed) <= allowed


@given(st.booleans(), st.booleans(), st.integers(-100, 100))
def test_a_refresh_token_is_rotated_only_when_nothing_speaks_against_it(used: bool, ended: bool, left: int) -> None:
    token = RefreshToken(
        session_id="s", customer_id="c", used=used, session_ended=ended, expires_at=NOW + timedelta(seconds=left)
    )
    verdict = judge(token, NOW)
    assert (verdict is Verdict.ROTATE) is (not used and not ended and left > 0)
    assert (verdict is Verdict.END_SESSION) is (used and not ended)
    assert judge(None, NOW) is Verdict.REFUSE


@given(st.integers(10**12, 10**19 - 1).map(str), st.sampled_from(["", " ", "-"]), st.sampled_from(MethodType))
def test_what_looks_like_a_card_number_is_no_token(digits: str, gap: str, kind: MethodType) -> None:
    written = gap.join(digits[start : start + 4] for start in range(0, len(digits), 4))
    with pytest.raises(Invalid) as refused:
        check_token(kind, written)
    assert digits not in str(refused.value)
