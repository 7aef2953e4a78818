"""The ways out: a report in the shape of each channel, and the adapter that hands it over."""
