"""A Zoho on a loopback address: what the handle, the server and its parts are."""
