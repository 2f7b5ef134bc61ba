"""Proving who somebody is: passwords, second factors, sessions and tokens."""
