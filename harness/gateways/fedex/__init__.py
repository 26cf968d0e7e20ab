"""A mock of FedEx's REST APIs."""
