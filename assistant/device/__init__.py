"""xiaozhi-device: the appliance itself, as tools."""
