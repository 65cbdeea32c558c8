"""What is made of the figures: goals, tables, a page, plots."""
