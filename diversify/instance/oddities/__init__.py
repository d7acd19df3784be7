"""What is odd in a case but has a meaning: one module per part of the format, one function per remark."""
