"""A promised day that slips: found before it passes, told with a choice, and what silence then means."""
