"""One refresh for the fleet with encryption: the tests of ``tests/refresh``, unchanged."""
