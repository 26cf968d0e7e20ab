"""What the order service uses, behind interfaces of its domain: databases, other services."""
