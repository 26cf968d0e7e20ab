"""Stateful mocks of payment, shipping and messaging APIs, which the vendors' own SDKs cannot tell from a sandbox."""
