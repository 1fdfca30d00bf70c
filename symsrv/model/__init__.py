"""The nouns: what is asked for, what a file is, what is on record, and what can go wrong."""
