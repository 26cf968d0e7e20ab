"""PayPal: Orders v2, Payments v2 and Webhooks v1 as one stateful mock."""
