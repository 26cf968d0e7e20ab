"""Calling payment, shipping and messaging gateways: one error per cause, retries only where they do no harm."""
