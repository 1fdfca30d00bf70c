"""Care of a store: proving that it is what it says."""
