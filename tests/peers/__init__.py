"""Servers that tests talk to, started here: moto in this process, Ceph as processes of its own."""
