"""Where an environment puts its services."""

from __future__ import annotations

import socket
from itertools import islice

import pytest

from harness.environment.process import ServiceError
from harness.environment.running import OWN_PORTS, free_ports


def test_no_two_services_are_given_the_same_port() -> None:
    many = list(islice(free_ports(), 2000))
    assert len(set(many)) == len(many)


def test_a_port_that_somebody_listens_on_is_given_to_nobody_and_the_end_of_ports_is_said() -> None:
    given: list[int] = []
    with socket.socket() as taken:
        port = next(free_ports())
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ServiceError, match="no port from 20000 to 31999 is free"):
            given.extend(free_ports())
    assert port in OWN_PORTS
    assert port not in given
