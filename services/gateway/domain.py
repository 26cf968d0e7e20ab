"""The rules of the gateway service: plain values and functions. Imports nothing else of ours."""
