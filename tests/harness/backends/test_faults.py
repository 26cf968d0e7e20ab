"""What the fault proxy does to connections, seen from both of their ends, before an engine of a few lines."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from harness.backends.errors import BackendError
from harness.backends.faults import (
    KINDS,
    Blackhole,
    Cut,
    Fault,
    Latency,
    LostReply,
    Rate,
    Refuse,
    Reset,
    from_wire,
    to_wire,
)
from harness.backends.proxy import Control, Listener, connect, launch
from harness.backends.supervised import Supervisor
from tests.harness.backends.clients import PATIENCE

LONG = 10.0


@dataclass
class Echo:
    """Answers what it hears with the same in capitals; remembers what it heard."""

    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    heard: bytearray = field(default_factory=bytearray)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.listening.getsockname()
        return host, port

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                self.heard += data
                connection.sendall(data.upper())

    def stop(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    supervisor = Supervisor()
    try:
        made = connect(launch(supervisor), supervisor)
        yield made
        made.close()
    finally:
        supervisor.end()


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    serving = threading.Thread(target=made.serve)
    serving.start()
    yield made
    made.stop()
    serving.join(LONG)


@pytest.fixture
def listener(control: Control, echo: Echo) -> Iterator[Listener]:
    made = Listener(control)
    made.open(echo.address)
    yield made
    made.close()
    made.faults.clear()


@contextlib.contextmanager
def client(listener: Listener, timeout: float = LONG) -> Iterator[socket.socket]:
    with socket.create_connection((listener.host, listener.port), timeout) as connection:
        yield connection


def asked(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return heard(connection, len(data))


def heard(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer when the stream ends."""
    found = b""
    while len(found) < size:
        data = connection.recv(size - len(found))
        if not data:
            break
        found += data
    return found


def silent(connection: socket.socket) -> bool:
    connection.settimeout(PATIENCE)
    try:
        return connection.recv(1) is None
    except TimeoutError:
        return True
    finally:
        connection.settimeout(LONG)


def test_without_faults_bytes_pass_both_ways_and_are_counted(listener: Listener) -> None:
    data = bytes(range(97, 123)) * 100_000
    with client(listener) as connection:
        sending = threading.Thread(target=connection.sendall, args=(data,))
        sending.start()
        assert heard(connection, len(data)) == data.upper()
        sending.join()
        assert listener.faults.traffic().open == 1
    traffic = listener.faults.traffic()
    assert (traffic.accepted, traffic.bytes_up, traffic.bytes_down) == (1, len(data), len(data))


def test_an_end_of_stream_passes_in_one_direction_alone(listener: Listener) -> None:
    with client(listener) as connection:
        connection.sendall(b"last")
        connection.shutdown(socket.SHUT_WR)
        assert heard(connection, 100) == b"LAST"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_latency_delays_one_direction_and_keeps_order(listener: Listener, direction: str) -> None:
    with client(listener) as connection, listener.faults.add(Latency(seconds=0.5, direction=direction)) as fault:  # type: ignore[arg-type] # one of Direction
        began = time.monotonic()
        for word in (b"a", b"b", b"c"):
            connection.sendall(word)
            time.sleep(0.02)
        assert heard(connection, 3) == b"ABC"
        assert 0.5 <= time.monotonic() - began < 1.4
        assert fault.hits >= 1


def test_jitter_moves_delays_within_its_bounds(listener: Listener) -> None:
    with client(listener) as connection, listener.faults.add(Latency(seconds=0.05, jitter=0.04, direction="up")):
        took = []
        for _ in range(20):
            began = time.monotonic()
            asked(connection, b"x")
            took.append(time.monotonic() - began)
    assert min(took) >= 0.01
    assert max(took) - min(took) > 0.02


def test_what_a_removed_latency_held_arrives_at_once(listener: Listener) -> None:
    with client(listener) as connection:
        fault = listener.faults.add(Latency(seconds=60))
        connection.sendall(b"held")
        fault.wait()
        fault.remove()
        assert heard(connection, 4) == b"HELD"


def test_a_rate_is_kept(listener: Listener) -> None:
    with client(listener) as connection, listener.faults.add(Rate(bytes_per_second=100_000, direction="down")):
        began = time.monotonic()
        assert len(asked(connection, b"x" * 30_000)) == 30_000
        assert 0.25 <= time.monotonic() - began < 2


def test_a_blackhole_holds_and_then_lets_go_in_order(listener: Listener, echo: Echo) -> None:
    with client(listener) as connection:
        asked(connection, b"a")
        with listener.faults.add(Blackhole()) as hole:
            connection.sendall(b"b")
            hole.wait()
            connection.sendall(b"c")
            with client(listener) as late:
                late.sendall(b"d")
                assert silent(late)
            assert silent(connection)
            assert echo.heard == b"a"
        assert heard(connection, 2) == b"BC"


def test_a_blackhole_downwards_lets_requests_through(listener: Listener, echo: Echo) -> None:
    with client(listener) as connection, listener.faults.add(Blackhole(direction="down")) as hole:
        connection.sendall(b"done")
        hole.wait()
        assert echo.heard == b"done"
        assert silent(connection)


def test_a_fault_of_new_connections_spares_the_open_ones(listener: Listener) -> None:
    with client(listener) as old:
        asked(old, b"x")
        with listener.faults.add(Blackhole(connections="new")), client(listener) as new:
            new.sendall(b"x")
            assert silent(new)
            assert asked(old, b"y") == b"Y"


def test_a_fault_of_existing_connections_spares_the_new_ones(listener: Listener) -> None:
    with client(listener) as old:
        asked(old, b"x")
        with listener.faults.add(Blackhole(connections="existing")), client(listener) as new:
            old.sendall(b"x")
            assert asked(new, b"y") == b"Y"
            assert silent(old)


def test_refused_is_refused_and_open_connections_go_on(listener: Listener) -> None:
    with client(listener) as old:
        asked(old, b"x")
        with listener.faults.add(Refuse()):
            for _ in range(3):
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((listener.host, listener.port), LONG)
            assert asked(old, b"y") == b"Y"
        with client(listener) as new:
            assert asked(new, b"z") == b"Z"


def test_nobody_else_gets_the_port_while_it_is_refused(listener: Listener, control: Control) -> None:
    with listener.faults.add(Refuse()):
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((listener.host, listener.port))
        with pytest.raises(BackendError, match=f"port {listener.port} of 127.0.0.1 is in use"):
            Listener(control, port=listener.port)


def test_a_reset_is_felt_by_open_and_by_new_connections(listener: Listener) -> None:
    with client(listener) as old:
        asked(old, b"x")
        with listener.faults.add(Reset()) as fault:
            with pytest.raises(ConnectionResetError):
                old.recv(1)
            with pytest.raises(ConnectionResetError), client(listener) as new:
                new.recv(1)
            assert fault.hits == 2
        with client(listener) as later:
            assert asked(later, b"z") == b"Z"


def test_a_connection_is_cut_within_an_answer(listener: Listener) -> None:
    with client(listener) as connection, listener.faults.add(Cut(after_bytes=5, direction="down")) as cut:
        assert asked(connection, b"abc") == b"ABC"
        connection.sendall(b"defg")
        assert heard(connection, 2) == b"DE"
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        assert cut.hits == 1


@pytest.mark.parametrize("then", ["reset", "close", "silence"])
def test_a_lost_reply_has_had_its_effect(listener: Listener, echo: Echo, then: str) -> None:
    with client(listener) as connection:
        lost = listener.faults.add(LostReply(match=b"pay", then=then))  # type: ignore[arg-type] # one of its members
        assert asked(connection, b"hello") == b"HELLO"
        assert asked(connection, b"please p") == b"PLEASE P"
        connection.sendall(b"ay me")
        if then == "silence":
            assert silent(connection)
        elif then == "close":
            assert connection.recv(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        assert echo.heard.endswith(b"please pay me")
        lost.wait()
    with client(listener) as again:
        assert asked(again, b"pay") == b"PAY"
        assert lost.hits == 1


def test_so_many_replies_are_lost_as_was_asked_for(listener: Listener) -> None:
    lost = listener.faults.add(LostReply(times=3))
    for _ in range(3):
        with client(listener) as connection, pytest.raises(ConnectionResetError):
            asked(connection, b"x")
    with client(listener) as connection:
        assert asked(connection, b"x") == b"X"
    assert lost.hits == 3


def test_faults_act_together(listener: Listener) -> None:
    faults = listener.faults
    with (
        client(listener) as connection,
        faults.add(Latency(seconds=0.1, direction="up")),
        faults.add(LostReply(match=b"x")),
    ):
        began = time.monotonic()
        with pytest.raises(ConnectionResetError):
            asked(connection, b"x")
        assert time.monotonic() - began >= 0.1


def test_a_client_that_leaves_is_noticed_by_the_engine_after_the_partition(listener: Listener, echo: Echo) -> None:
    with client(listener) as connection:
        asked(connection, b"x")
        hole = listener.faults.add(Blackhole())
        connection.sendall(b"y")
        hole.wait()
    assert listener.faults.traffic().open == 1
    hole.remove()
    limit = time.monotonic() + LONG
    while listener.faults.traffic().open and time.monotonic() < limit:
        time.sleep(0.01)
    assert echo.heard == b"xy"
    assert listener.faults.traffic().open == 0


def test_a_fast_sender_is_slowed_down_to_a_held_receiver(listener: Listener) -> None:
    """What a blackhole holds is bounded: the sender blocks, as TCP has it."""
    with client(listener, PATIENCE) as connection, listener.faults.add(Blackhole()), pytest.raises(TimeoutError):
        connection.sendall(b"x" * (100 << 20))


def test_an_upstream_that_is_not_there_is_a_reset(listener: Listener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    listener.open(address)
    with pytest.raises(ConnectionResetError), client(listener) as connection:
        connection.recv(1)


def test_each_connection_asks_anew_where_the_engine_is(listener: Listener) -> None:
    other = Echo()
    serving = threading.Thread(target=other.serve)
    serving.start()
    try:
        with client(listener) as old:
            asked(old, b"x")
            listener.open(other.address)
            with client(listener) as new:
                assert asked(new, b"moved") == b"MOVED"
            assert asked(old, b"stays") == b"STAYS"
        assert other.heard == b"moved"
    finally:
        other.stop()
        serving.join(LONG)


@pytest.mark.parametrize(
    "fault", [Latency(seconds=1, jitter=0.5), Cut(after_bytes=3, connections="new"), LostReply(match=b"\x00\xff\n")]
)
def test_a_fault_is_the_same_on_the_other_side(fault: Fault) -> None:
    assert from_wire(to_wire(fault)) == fault


def test_faults_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="Latency: seconds is -1"):
        Latency(seconds=-1)
    with pytest.raises(ValueError, match="Blackhole"):
        Rate(bytes_per_second=0)
    assert len(KINDS) == 7
