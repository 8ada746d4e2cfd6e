"""``zoho-mongo-store doctor``."""
