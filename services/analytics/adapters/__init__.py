"""Vendors behind `services.analytics.domain.EventSink`."""
