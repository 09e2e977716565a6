"""Tuning: settings searched on folds of the training documents, by a proper score or by F1, never by test documents."""
