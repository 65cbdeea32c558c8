"""The guard against getting slower: counts of calls, which depend neither on the machine nor on what else it does."""
