"""Notifications: mails and text messages to customers."""
