"""Pages and pictures of results, made from tables only."""
