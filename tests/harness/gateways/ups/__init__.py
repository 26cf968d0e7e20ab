"""Tests of the UPS mock."""
