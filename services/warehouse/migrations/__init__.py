"""Changes of the database schema of the warehouse service, in order. What was deployed is not edited."""
