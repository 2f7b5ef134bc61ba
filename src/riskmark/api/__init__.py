"""The REST API: parse, call, answer. What a request means is decided by the layers below."""
