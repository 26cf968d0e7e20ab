"""The mock of Google Analytics 4."""
