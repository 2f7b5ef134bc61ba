"""Market data from outside: one adapter a provider, one type of outcome, one check of all.

Nothing here knows the database: who is allowed to ask how often is kept behind
``limits.QuotaStore``, which storage implements.
"""
