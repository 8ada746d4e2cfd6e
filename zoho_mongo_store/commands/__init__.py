"""The sub-commands of zoho-mongo-store, one module each."""
