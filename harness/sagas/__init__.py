"""Checks of whole sagas: what a customer does, what was recorded, and what must be true of it in the end."""
