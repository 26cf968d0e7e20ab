"""A mock of UPS's REST APIs."""
