"""A loopback Zoho: the handle, the server and its parts."""
