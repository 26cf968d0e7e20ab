"""Payment gateways behind `services.payment.domain.PaymentGateway`."""
