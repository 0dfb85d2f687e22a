"""What to do: problem in, result out."""
