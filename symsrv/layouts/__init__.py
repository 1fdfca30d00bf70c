"""The dialects in which clients ask for symbols, and how to read a path in whichever it is."""
