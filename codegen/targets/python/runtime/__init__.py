"""What generated code stands on. Import the modules you need; this package imports none of them."""
