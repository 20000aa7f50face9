"""Summaries of Insights: the page where they are set up, how one is written, and the clock's share."""
