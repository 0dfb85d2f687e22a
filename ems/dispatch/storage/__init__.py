"""One storage behind one connection, exactly, by a dynamic programme."""
