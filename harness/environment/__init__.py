"""The platform as it runs: engines, gateway mocks and services, started and ended together."""
