"""What the customer service uses, behind interfaces of its domain: databases, other services."""
