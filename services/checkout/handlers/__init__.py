"""What the checkout service does when it is called, and when it is told."""
