"""Consistency across the protocols. Each module: `check(graph, diagnostics)`, pure but for what it reports."""
