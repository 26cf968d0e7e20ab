"""What the checkout service uses: its tables, other services, durable workflows."""
