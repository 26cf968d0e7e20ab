"""Tests of what carriers share."""
