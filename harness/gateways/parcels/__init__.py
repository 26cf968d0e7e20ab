"""What the mocks of carriers share: places and zones, tariffs, journeys of shipments, access tokens."""
