"""The MongoDB token store for the Zoho CRM Python SDK."""
