"""How the shop keeps its word, counted in sets: promises, stages, money back. Read-only, and without anybody's name."""
