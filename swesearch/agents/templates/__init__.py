"""The model-free proposer: a table of templates over syntax trees."""
