"""The platform as it runs: engines, gateway mocks and services, each a process of its own, started and ended together."""
