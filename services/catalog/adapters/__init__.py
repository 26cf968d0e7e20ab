"""What the catalog service uses, behind interfaces of its domain: databases, other services."""
