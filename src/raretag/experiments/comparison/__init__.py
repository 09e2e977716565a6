"""Recipes compared on the same folds: every document judged by models that never saw it, differences tested."""
