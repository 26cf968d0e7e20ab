"""The law of lanes: whatever is retried, lost or late, entries of one key are handled one at a time and in order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from shop.runtime.transport import ReceivedMessage, utc_now

from services.platform.redis_streams.lanes import Entry, Lanes


def entry(number: int, key: str | None) -> Entry:
    id_ = b"%d-0" % number
    message = ReceivedMessage(
        id=id_.decode(), address="a", body=b"", content_type="x", headers={}, ordering_key=key, first_seen=utc_now()
    )
    return Entry(id_, message, key)


class LanesMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.lanes = Lanes()
        self.number = 0
        self.running: list[Entry] = []
        self.waiting: list[Entry] = []
        self.done: list[Entry] = []

    @rule(key=st.sampled_from(["x", "y", None]))
    def admit(self, key: str | None) -> None:
        self.number += 1
        made = entry(self.number, key)
        self.lanes.admit(made)
        self.lanes.admit(entry(self.number, key))

    @rule()
    def take(self) -> None:
        found = self.lanes.take()
        if found is not None:
            assert found not in self.running
            if found.key is not None:
                assert found.key not in {each.key for each in self.running + self.waiting}
                earlier = [each for each in self.lanes.held.values() if each.key == found.key]
                assert min(earlier, key=lambda each: int(each.id[:-2])) is found
            self.running.append(found)

    @precondition(lambda self: self.running)
    @rule(at=st.integers(0, 5))
    def finish(self, at: int) -> None:
        found = self.running.pop(at % len(self.running))
        self.lanes.done(found)
        self.done.append(found)

    @precondition(lambda self: self.running)
    @rule(at=st.integers(0, 5))
    def postpone(self, at: int) -> None:
        found = self.running.pop(at % len(self.running))
        found.running = False
        self.waiting.append(found)

    @precondition(lambda self: self.waiting)
    @rule(at=st.integers(0, 5))
    def wake(self, at: int) -> None:
        self.lanes.again(self.waiting.pop(at % len(self.waiting)))

    @rule(at=st.integers(0, 9))
    def lose(self, at: int) -> None:
        held = list(self.lanes.held.values())
        if held:
            found = held[at % len(held)]
            assert self.lanes.lose(found.id) is found
            assert (found.id in self.lanes.held) == (found in self.running)
            if found in self.waiting:
                self.waiting.remove(found)
                self.lanes.again(found)

    @rule()
    def clear(self) -> None:
        assert len(self.lanes.clear()) >= len(self.running)
        for each in (*self.running, *self.waiting):
            self.lanes.done(each)
            self.lanes.again(each)
        self.running, self.waiting = [], []

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """Every key that has entries has one that is ready, running or waiting."""
        active = {each.key for each in (*self.lanes.ready, *self.running, *self.waiting)}
        assert {each.key for each in self.lanes.held.values()} <= active
        assert len(set(map(id, self.lanes.ready))) == len(self.lanes.ready)

    def teardown(self) -> None:
        for each in self.waiting:
            self.lanes.again(each)
        while (found := self.lanes.take()) is not None or self.running:
            if found is not None:
                self.running.append(found)
            self.lanes.done(self.running.pop())
        assert not self.lanes.held


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


@given(st.lists(st.sampled_from(["x", "y", None])))
def test_entries_come_out_in_the_order_they_went_in_when_nothing_goes_wrong(keys: list[str | None]) -> None:
    lanes = Lanes()
    for number, key in enumerate(keys):
        lanes.admit(entry(number, key))
    seen: list[int] = []
    while (found := lanes.take()) is not None:
        seen.append(int(found.id[:-2]))
        lanes.done(found)
    assert sorted(seen) == list(range(len(keys)))
    for key in "xy":
        mine = [number for number, each in enumerate(keys) if each == key]
        assert [number for number in seen if number in mine] == mine
