"""What the gateway uses: the keys of tokens."""
