"""The index in SQL: what is stored, under which ids, and which transactions hold it. All of it is derived."""
