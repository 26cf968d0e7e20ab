"""The rules of the customer service: plain values and functions. Imports nothing else of ours."""
