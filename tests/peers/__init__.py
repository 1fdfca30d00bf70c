"""Servers that tests talk to, started here: moto in this process, all others as processes of their own."""
