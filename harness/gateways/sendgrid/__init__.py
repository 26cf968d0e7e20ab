"""The mock of SendGrid."""
