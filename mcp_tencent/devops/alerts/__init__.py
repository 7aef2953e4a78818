"""Alerts: what they speak of, which belong together, how much they matter, and what people say of that."""
