"""Carriers behind `services.shipping.domain.ShippingCarrier`."""
