"""Changes of the database schema of the notification service, in order of their names. What was deployed is not edited."""
