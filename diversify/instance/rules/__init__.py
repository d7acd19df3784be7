"""What must hold between the cells of a case: one module per part of the format, one function per rule."""
