"""Tests of the HTTP front end, on a real store."""
