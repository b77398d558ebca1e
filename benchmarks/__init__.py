"""Benchmarks of the service against a bare ASGI application: ``python -m benchmarks --help``."""
