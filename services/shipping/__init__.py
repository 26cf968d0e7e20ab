"""Shipping: rates, labels, tracking and pickups through carriers."""
