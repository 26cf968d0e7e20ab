"""Changes of the database schema of the notification service, in order. What was deployed is not edited."""
