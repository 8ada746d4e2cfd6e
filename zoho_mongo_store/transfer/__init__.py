"""Imports tokens from other stores, and exports them."""
