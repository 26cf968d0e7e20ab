"""Changes of the database schema of the warehouse service, in order of their names. What was deployed is not edited."""
