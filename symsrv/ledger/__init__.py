"""What is kept in SQL: for now the index, which can be dropped and made again from the store."""
