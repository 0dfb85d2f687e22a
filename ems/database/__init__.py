"""What is kept: tables derived from records, migrations, runs and their results."""
