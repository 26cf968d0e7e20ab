"""What the warehouse service uses, behind interfaces of its domain: databases, other services."""
