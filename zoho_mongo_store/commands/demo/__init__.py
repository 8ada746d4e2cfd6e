"""``zoho-mongo-store demo``."""
