"""The rules of the checkout service: plain values and functions. Imports nothing else of ours."""
