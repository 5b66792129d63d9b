"""Programs for machines: nothing of Gristmill imports them, and they import nothing of Gristmill."""
