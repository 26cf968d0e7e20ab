"""Proves that services keep their contracts: gateway mocks, backends, contract tests, saga checks."""
