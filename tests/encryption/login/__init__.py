"""Login with Zoho on a store that encrypts."""
