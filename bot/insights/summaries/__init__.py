"""Summaries of Insights by e-mail or to a chat: when they are due, what became of them, and how they get there."""
