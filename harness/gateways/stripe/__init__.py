"""Stripe: payment intents, charges, refunds, disputes, customers, payment methods, events, webhooks."""
