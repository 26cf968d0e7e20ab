"""Shipping labels as real files, written with the standard library: PDF, PNG, GIF and ZPL."""
