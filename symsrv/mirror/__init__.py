"""The puller: what is missing is asked of other symbol servers, checked, published, and told to whoever waits."""
