"""The mock of Twilio."""
