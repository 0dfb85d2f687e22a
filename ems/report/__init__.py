"""What is shared: figures, tables and the HTML page made of a run notebook."""
