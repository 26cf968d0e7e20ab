"""Tests of the FedEx mock."""
