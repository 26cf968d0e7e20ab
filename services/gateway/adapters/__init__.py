"""What the gateway service uses, behind interfaces of its domain: databases, other services."""
