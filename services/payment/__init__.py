"""Payments: takes and gives back money through gateways."""
