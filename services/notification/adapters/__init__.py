"""Vendors behind `services.notification.domain.MailSender` and `SmsSender`."""
